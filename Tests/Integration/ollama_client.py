"""Drives a running ollama-stand-in with the official `ollama` client from PyPI.

usage: ollama_client.py URL

The server has to know the models `whole`, `cut` (with a cut) and `broken` (with an error line), and no other one.
"""

import sys

import httpx
import ollama


def stream_reaches_success(client):
    events = list(client.pull("whole", stream=True))
    statuses = [event.status for event in events]
    assert statuses[0] == "pulling manifest", statuses[:2]
    assert statuses[-3:] == ["verifying sha256 digest", "writing manifest", "success"], statuses[-3:]

    layers = [event for event in events if event.digest]
    assert layers, "no line of a layer"
    in_order = list(dict.fromkeys(event.digest for event in layers))
    digests = [event.digest for event in layers]
    assert digests == sorted(digests, key=in_order.index), "the layers are mixed"
    for event in layers:
        assert event.status == f"pulling {event.digest.removeprefix('sha256:')[:12]}", event
        assert event.total > 0, event
        assert (event.completed or 0) <= event.total, event
    for digest in in_order:
        completed = [event.completed or 0 for event in layers if event.digest == digest]
        assert completed == sorted(completed), f"completed of {digest} falls"
    assert max(event.completed or 0 for event in layers) > 0, "nothing was ever completed"


def second_pull_finds_everything(client):
    layers = [event for event in client.pull("whole", stream=True) if event.digest]
    assert layers and all(event.completed == event.total for event in layers), layers


def without_stream_there_is_one_answer(client):
    assert client.pull("whole", stream=False).status == "success"


def pulled_model_is_listed(client):
    models = {model.model: model for model in client.list().models}
    assert list(models) == ["whole:latest"], list(models)
    assert models["whole:latest"].size > 0, models


def missing_model_is_an_error(client):
    error = failure(ollama.ResponseError, lambda: list(client.pull("nosuch", stream=True)))
    assert (error.error, error.status_code) == ("pull model manifest: file does not exist", -1), error
    error = failure(ollama.ResponseError, lambda: client.pull("nosuch", stream=False))
    assert (error.error, error.status_code) == ("pull model manifest: file does not exist", 500), error


def invalid_name_is_refused(client):
    error = failure(ollama.ResponseError, lambda: client.pull("bad name!!/x y", stream=False))
    assert (error.error, error.status_code) == ("invalid model name", 400), error


def error_line_is_raised_after_some_progress(client):
    events = []
    error = failure(ollama.ResponseError, lambda: events.extend(client.pull("broken", stream=True)))
    assert error.status_code == -1, error
    assert error.error == "unexpected EOF", error


def cut_stream_is_no_success(client):
    seen = []

    def pull():
        for event in client.pull("cut", stream=True):
            seen.append(event)

    failure(httpx.RemoteProtocolError, pull)
    assert seen[0].status == "pulling manifest", seen
    assert any(event.completed for event in seen), "cut before any progress"
    assert seen[-1].status != "success", seen[-1]


def failure(kind, action):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


CHECKS = [
    stream_reaches_success,
    second_pull_finds_everything,
    without_stream_there_is_one_answer,
    pulled_model_is_listed,
    missing_model_is_an_error,
    invalid_name_is_refused,
    error_line_is_raised_after_some_progress,
    cut_stream_is_no_success,
]


def main():
    client = ollama.Client(host=sys.argv[1], timeout=60)
    failed = 0
    for check in CHECKS:
        try:
            check(client)
            print(f"passed {check.__name__}")
        except Exception as error:  # any way of failing is a failed check
            failed += 1
            print(f"FAILED {check.__name__}: {type(error).__name__}: {error}")
    print(f"ollama client: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
