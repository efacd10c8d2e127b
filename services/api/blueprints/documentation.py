"""`/openapi.json`, what every route takes and answers, for programs; and `/docs`, the same for people."""

import hashlib
import json

from flask import Response, current_app, render_template, request
from flask_openapi import APIBlueprint

from services.api.curl import curl
from services.api.describing import HTML, JSON, UNCHANGED, answer
from services.api.document import Json, document
from services.api.tags import DOCUMENTATION

KEY = "graymill-document"
METHODS = ("get", "post", "put", "patch", "delete")

blueprint = APIBlueprint("documentation", __name__, abp_tags=[DOCUMENTATION])


@blueprint.get(
    "/openapi.json",
    operation_id="getOpenApi",
    responses={200: answer("The document, of OpenAPI 3.1.", JSON, headers=("ETag",)), 304: UNCHANGED},
)
def openapi() -> Response:
    """Give this document."""
    body = json.dumps(_document(), ensure_ascii=False)
    response = Response(f"{body}\n", mimetype=JSON)
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "public, max-age=300"
    response.make_conditional(request)
    return response


@blueprint.get("/docs", operation_id="showDocs", responses={200: answer("The page.", HTML)})
def docs() -> str:
    """Show this document as a page, with a command to try for each route."""
    found = _document()
    operations = [
        {**operation, "method": method.upper(), "path": path, "curl": curl(method, path, operation, request.host_url)}
        for path, described in found["paths"].items()
        for method, operation in described.items()
        if method in METHODS
    ]
    return render_template("docs.html", document=found, operations=operations)


def _document() -> Json:
    """Give the current application's document; it is made once."""
    made = current_app.extensions.get(KEY)
    if made is None:
        made = current_app.extensions[KEY] = document()
    return dict(made)
