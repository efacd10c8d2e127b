# One image a service: docker build --build-arg SERVICE=hasher .   (also: samples)
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS packages
ARG SERVICE
# Of a mirror, if there is one; empty means pip's own. The final image has neither.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/build.lock requirements/${SERVICE}.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --require-hashes --only-binary :all: -r build.lock -r ${SERVICE}.lock
# The project's version and its command line, without the code, which changes more often than all of this.
COPY pyproject.toml ./
RUN touch README.md LICENSE \
    && /opt/venv/bin/pip install --no-deps --no-build-isolation . \
    && if [ ${SERVICE} != fetcher ]; then rm /opt/venv/bin/fetcher; fi \
    && /opt/venv/bin/pip uninstall --yes setuptools pip

FROM ${PYTHON_IMAGE} AS code
ARG SERVICE
COPY . /checkout
WORKDIR /app
RUN cp /checkout/deploy/compose/health.py /checkout/deploy/compose/forward.py . \
    && if [ ${SERVICE} = samples ]; then module=samples; cp -r /checkout/samples .; else \
        module=services.${SERVICE}; \
        mkdir services; \
        cp -r /checkout/common .; \
        cp -r /checkout/services/__init__.py /checkout/services/${SERVICE} services; \
    fi \
    && if [ ${SERVICE} = fetcher ]; then cp /checkout/urls.txt .; fi \
    && if [ ${SERVICE} = fetcher ] || [ ${SERVICE} = api ]; then \
        mkdir samples; \
        PYTHONPATH=/checkout python -m samples.make_lists http://samples:8081 > samples/urls.txt; \
    fi \
    # `exec`, so that the service is the container's process 1 and hears SIGTERM itself.
    && printf '#!/bin/sh\nexec python -m %s\n' ${module} > start \
    && chmod 755 start \
    && chmod -R a+rX . \
    && python -m compileall -q --invalidation-mode unchecked-hash .

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin graymill
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /app /app
ENV PATH=/opt/venv/bin:${PATH} PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER graymill
CMD ["/app/start"]
