"""The smoke test of the serving API: one real request, before anybody else can make one."""

from asgi import get
from serving_app import app

(answer,) = get(app, ["/health"])
if answer.status_code != 200:
    raise SystemExit(f"GET /health answered {answer.status_code}: {answer.text}")
