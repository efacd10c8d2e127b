"""`/metrics` for Prometheus."""

from flask import Response
from flask_openapi import APIBlueprint
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from services.api import metrics
from services.api.describing import TEXT, answer
from services.api.tags import MONITORING

blueprint = APIBlueprint("prometheus", __name__, abp_tags=[MONITORING])


@blueprint.get(
    "/metrics", operation_id="getMetrics", responses={200: answer("In the text format of Prometheus.", TEXT)}
)
def show_metrics() -> Response:
    """Tell Prometheus of the requests, the queues, what is pending, and the dead letters.

    Outcomes, latencies and bytes are told by the workers, each for itself. Of a server that does not answer just now
    nothing is told but that.
    """
    return Response(metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
