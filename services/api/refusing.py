"""What the server refuses before it asks the application, such as HTTP that is none, is told as a problem, too."""

from http import HTTPStatus

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask

from services.api.describing import PROBLEM, PROBLEMS, Problem

SENTENCES = {
    400: "This is no HTTP request as it should be.",
    413: PROBLEMS[HTTPStatus.REQUEST_ENTITY_TOO_LARGE],
    431: "The headers are larger than is taken.",
    501: "The body is transferred in a way that is not taken.",
}
UNFORESEEN = "Something went wrong here that is not your doing."


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Writes the answer. The request has no id yet, and waitress's own text is not for those who ask."""

    def execute(self) -> None:
        """Answer, and close the connection: what follows on it cannot be told apart."""
        status = HTTPStatus(self.request.error.code)
        sentence = SENTENCES.get(status, UNFORESEEN)
        problem = Problem(title=status.phrase, status=status, detail=sentence, request_id=None)
        body = f"{problem.model_dump_json()}\n".encode()
        self.status = f"{status.value} {status.phrase}"
        self.response_headers.append(("Content-Type", PROBLEM))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class ProblemParser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses an address that cannot be taken apart; waitress would close the connection without a word."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head of a request. Raises ParsingError."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("Bad URI") from error


class ProblemChannel(HTTPChannel):  # type: ignore[misc]
    """A connection whose refusals are problems."""

    error_task_class = ProblemTask
    parser_class = ProblemParser
