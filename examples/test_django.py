"""A Django view that calls the API, and its tests: by Django's test client and by a live server."""

from __future__ import annotations

import json
import unittest

import django
import requests
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.test import LiveServerTestCase, SimpleTestCase
from django.urls import path

from fauxlab import Mock, Settings, intercepted

API = "https://modelslab.com/api/v6/image_editing/flux_headshot"


def headshots(request: HttpRequest) -> JsonResponse:
    """Order a portrait, and answer 202 with the number of its job, or 502 with what went wrong."""
    wish = json.loads(request.body)
    body = {"key": "any-key", "prompt": wish["prompt"], "face_image": wish["face"], "seed": 7}
    reply = requests.post(API, json=body, timeout=30).json()
    if reply["status"] == "error":
        return JsonResponse({"problem": reply["message"]}, status=502)
    return JsonResponse({"job": reply["id"]}, status=202)


urlpatterns = [path("headshots", headshots)]

if not settings.configured:  # a project has a module for this
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], STATIC_URL="/static/")
    django.setup()

WISH = {"prompt": "studio portrait", "face": "https://example.com/face.jpg"}


class ByTheTestClient(SimpleTestCase):
    """The view runs in the test's own thread."""

    def setUp(self) -> None:
        self.mock = self.enterContext(intercepted(Mock(Settings(clock="auto"))))

    def test_an_order(self) -> None:
        answer = self.client.post("/headshots", WISH, content_type="application/json")

        self.assertEqual(answer.status_code, 202)
        self.assertEqual(answer.json(), {"job": next(iter(self.mock.jobs)).id})

    def test_no_credits(self) -> None:
        self.mock.scenario("no_credits")

        answer = self.client.post("/headshots", WISH, content_type="application/json")

        self.assertEqual(answer.status_code, 502)


class ByALiveServer(LiveServerTestCase):
    """The view runs in the thread of Django's live server, and is answered there as well."""

    databases = ()  # this project has none

    def setUp(self) -> None:
        self.mock = self.enterContext(intercepted(Mock(Settings(clock="auto"))))

    def test_an_order(self) -> None:
        answer = requests.post(f"{self.live_server_url}/headshots", json=WISH, timeout=30)

        self.assertEqual(answer.status_code, 202)
        self.assertEqual([exchange.code for exchange in self.mock.requests], [200])


if __name__ == "__main__":
    unittest.main()
