#!/bin/sh
# Run one generation with curl and sed alone, against `fauxlab serve`. Give another base URL as the first argument.
set -eu
base=${1:-http://127.0.0.1:4010/api/v6}
post() { curl --silent --show-error --fail "$1" --header 'Content-Type: application/json' --data "$2"; }
field() { sed -n "s/.*\"$1\":\\[*\"\\{0,1\\}\\([^\",]*\\).*/\\1/p"; }

reply=$(post "$base/image_editing/flux_headshot" \
  '{"key": "any-key", "prompt": "studio portrait", "face_image": "https://example.com/face.jpg", "seed": 7}')
id=$(echo "$reply" | field id)
until [ "$(echo "$reply" | field status)" = success ]; do
  echo "$(echo "$reply" | field status): job $id"
  sleep "${PAUSE_S:-1}"
  reply=$(post "$base/image_editing/fetch/$id" '{"key": "any-key"}')
  case $reply in *'"status":"error"'* | *'"status":"failed"'*) echo "$reply" >&2; exit 1 ;; esac
done
curl --silent --show-error --fail --output headshot.png "$(echo "$reply" | field output)"
echo "success: headshot.png"
