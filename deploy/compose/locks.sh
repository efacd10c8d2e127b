#!/usr/bin/env bash
# Writes requirements/*.lock: what each image installs, at the versions of requirements-dev.lock, for every Python from
# 3.11 on. Needs uv (UV=its path).
set -euo pipefail
cd "$(dirname "$0")/../.."
for group in fetcher hasher grayscaler aggregator api scraper samples build; do
    "${UV:-uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --group "$group" --constraint requirements-dev.lock --output-file "requirements/$group.lock"
done
