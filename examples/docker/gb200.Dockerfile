# An image for GB200 racks (driver branch R580), built where there is no GPU:
#   docker buildx build --platform linux/arm64 -f examples/docker/gb200.Dockerfile --build-arg INDEX=ADDRESS .
FROM python:3.13-slim AS build

# An index with torch's variant wheels and what torch depends on.
ARG INDEX
WORKDIR /app

# From a checkout, until there is a release: the package of this name on PyPI is another one.
COPY . /opt/nvidia-variant-provider
RUN pip install --no-cache-dir uv==0.13.9 '/opt/nvidia-variant-provider[tools]'

# 'run' tells uv of the machine for this one command; the image keeps no variable.
RUN uv venv && nvidia-variant-provider run --target gb200@580 -- \
    uv pip install --default-index "$INDEX" torch==2.14.1

# uv ends with exit code 0 when it falls back to the CPU wheel; this line does not.
RUN nvidia-variant-provider explain --installed torch --path .venv/lib/python3*/site-packages \
    --target gb200@580 --require-gpu --expect cuda13.2_sbsa

# Neither uv nor the provider is needed where torch runs.
FROM python:3.13-slim
WORKDIR /app
COPY --from=build /app/.venv /app/.venv
RUN .venv/bin/python -c "import torch"
CMD [".venv/bin/python", "-c", "import torch; print(torch.__version__)"]
