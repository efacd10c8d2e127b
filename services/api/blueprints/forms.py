"""`/forms`: what the home page's forms send. Who sends it is led to the task; what is wrong is said beside the form."""

from flask import Response, request, url_for
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound, RequestEntityTooLarge

from common.errors import Unavailable
from common.page_tasks import PageTasks
from services.api.answers import see_other, wants_html
from services.api.blueprints.home import Refusal, show_home
from services.api.bodies import Received
from services.api.describing import TEXT, answer, problems
from services.api.forms import PAGE_BODY, URLS_BODY, read_page_form, read_urls_form
from services.api.inputs import InvalidInput
from services.api.problems import half_done, problem, sentence_of
from services.api.resources import database, resources
from services.api.submitting import HalfDone, check_broker, hand_in
from services.api.tags import PAGES
from services.api.url_lists import FileQuery, read_url_list

TOO_LARGE = (
    "This is more than {most:,} bytes, so nothing of it was read. Hand it in by parts, or as a file from the command "
    "line: `fetcher publish FILE`."
)
TOO_MANY_PARTS = "This form has more parts than is taken."
LED_ON = answer("To the task's page.", headers=("Location",))
blueprint = APIBlueprint("forms", __name__, abp_tags=[PAGES])


@blueprint.post(
    "/forms/urls",
    operation_id="sendUrlsForm",
    request_body=URLS_BODY,
    responses={303: LED_ON, **problems(413, 422, 503)},
)
def urls() -> Response:
    """Hand in a list of URLs, and go to its task."""
    return see_other(url_for("url_tasks.task", task_id=hand_in(read_urls_form())))


@blueprint.post(
    "/forms/page",
    operation_id="sendPageForm",
    request_body=PAGE_BODY,
    responses={303: LED_ON, **problems(413, 422, 503)},
)
def page() -> Response:
    """Hand in a web page for its images, its text or both, and go to its task; of two, to that of the images."""
    body, kinds = read_page_form()
    check_broker()
    tasks = PageTasks(database(), resources().publisher)
    handed = [tasks.submit(kind, body.url, refresh=body.refresh) for kind in kinds]
    return see_other(url_for("url_tasks.task", task_id=handed[0].task_id))


@blueprint.post("/forms/samples", operation_id="sendSamplesForm", responses={303: LED_ON, **problems(404, 422, 503)})
def samples() -> Response:
    """Hand in the list of samples, where there is one, and go to its task."""
    text = resources().samples
    if text is None:
        raise NotFound("There are no samples here: SAMPLES_LIST is not set.")
    task_id = hand_in(read_url_list(Received(TEXT, text), FileQuery(name="samples")))
    return see_other(url_for("url_tasks.task", task_id=task_id))


@blueprint.errorhandler(InvalidInput)
def _invalid(error: InvalidInput) -> Response:
    return _refuse(422, str(error))


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(_error: RequestEntityTooLarge) -> Response:
    most = resources().settings.api_max_body_bytes
    return _refuse(413, TOO_MANY_PARTS if (request.content_length or most + 1) <= most else TOO_LARGE.format(most=most))


@blueprint.errorhandler(Unavailable)
def _unavailable(error: Unavailable) -> Response:
    return half_done(error) if isinstance(error, HalfDone) else _refuse(503, sentence_of(error))


def _refuse(status: int, sentence: str) -> Response:
    """Show the form again with the sentence and with what was typed, unless that was too large to be read."""
    if not wants_html(None):
        return problem(status, sentence)
    typed = request.form.to_dict() if status != RequestEntityTooLarge.code else {}
    return show_home(status, Refusal(str(request.endpoint), sentence, typed))
