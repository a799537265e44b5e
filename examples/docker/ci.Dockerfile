# A CI runner without a GPU: it checks the release for the machines it will run on, and takes the
# CPU build for its own tests.
#   docker build -f examples/docker/ci.Dockerfile --build-arg INDEX=ADDRESS .
FROM python:3.13-slim

# An index with torch's variant wheels and what torch depends on.
ARG INDEX
WORKDIR /app

# From a checkout, until there is a release: the package of this name on PyPI is another one.
COPY . /opt/nvidia-variant-provider
RUN pip install --no-cache-dir uv==0.13.9 '/opt/nvidia-variant-provider[tools]'

# Every machine of the fleet must get a build for its GPU. Each one that would not is a line.
RUN nvidia-variant-provider explain "$INDEX" --package torch==2.14.1 --installer uv --require-gpu \
    --target h100@580 --target l40s@570 --target gh200@580 --target gb200@580

# No variable names a machine and 'docker build' sees none: uv takes the null variant.
ENV UV_PREVIEW_FEATURES=wheel-variants
RUN uv venv && uv pip install --default-index "$INDEX" torch==2.14.1

# A label is checked here too: a build for CUDA would be gigabytes that no test can use.
RUN nvidia-variant-provider explain --installed torch --path .venv/lib/python3*/site-packages \
    --expect null

CMD [".venv/bin/python", "-c", "import torch; print(torch.__version__)"]
