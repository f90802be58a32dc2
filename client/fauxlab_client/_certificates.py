# Generated from the contract's module of this name by `make generate`; do not edit.
"""Which certificates to trust: those that the environment names, or else a caller's choice."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path

__all__ = ["distrusted", "trusted"]

FILE, FOLDERS, KEY_LOG = "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"


def trusted(
    otherwise: Callable[[], ssl.SSLContext], file: str | None = None, option: str = ""
) -> ssl.SSLContext:
    """Return a context for clients that trusts what is in `file`, the value of `option`.

    Without a file it is what SSL_CERT_FILE and SSL_CERT_DIR name, and without these `otherwise()`.
    Raises ValueError, whose text names the variable or option, and what to do.
    """
    folders = None
    if file is None:
        option = FILE
        file = os.environ.get(FILE) or None
        folders = os.environ.get(FOLDERS) or None
    if file is not None:
        _check_file(option, file)
    if folders is not None:
        _check_folders(folders)
    try:
        if file is None and folders is None:
            return otherwise()
        return ssl.create_default_context(cafile=file, capath=folders)
    except ssl.SSLError:
        raise _unusable(option, file, "which holds no certificates in PEM form") from None
    except OSError as error:  # of the log, for the certificates can be read
        reason = f"which cannot be written: {error.strerror or error}"
        raise _unusable(KEY_LOG, os.environ.get(KEY_LOG), reason) from None


def distrusted(error: BaseException | None) -> str:
    """Return why TLS failed, if that is what is behind an error; else an empty text.

    `self-signed certificate` or `certificate has expired`, as OpenSSL says it.
    """
    for _ in range(10):  # an error's causes may go in a circle
        if error is None:
            break
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate cannot be verified ({error.verify_message.rstrip('.')})"
        if isinstance(error, ssl.SSLError):
            return f"TLS failed ({(error.reason or 'no reason given').lower().replace('_', ' ')})"
        error = error.__cause__ or error.__context__
    return ""


def _check_file(option: str, file: str) -> None:
    try:
        with Path(file).open("rb") as stream:
            stream.read(1)
    except (OSError, ValueError) as error:
        reason = f"which cannot be read: {getattr(error, 'strerror', None) or error}"
        raise _unusable(option, file, reason) from None


def _check_folders(folders: str) -> None:
    if not any(os.path.isdir(folder) for folder in folders.split(os.pathsep)):
        raise _unusable(FOLDERS, folders, "which is no folder")


def _unusable(option: str, value: str | None, reason: str) -> ValueError:
    advice = "name a PEM file"
    if option == FOLDERS:
        advice = "name a folder of certificates, as openssl rehash leaves it, or unset it"
    elif option == KEY_LOG:
        advice = "unset it"
    elif option == FILE:
        advice += ", or unset it"
    return ValueError(f"{option} is {value!r}, {reason}; {advice}.")
