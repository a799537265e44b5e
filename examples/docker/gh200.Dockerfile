# An image for GH200 nodes (driver branch R580), built where there is no GPU:
#   docker buildx build --platform linux/arm64 -f examples/docker/gh200.Dockerfile --build-arg INDEX=ADDRESS .
FROM python:3.13-slim

# An index with torch's variant wheels and what torch depends on.
ARG INDEX
WORKDIR /app

# From a checkout, until there is a release: the package of this name on PyPI is another one.
COPY . /opt/nvidia-variant-provider
RUN pip install --no-cache-dir uv==0.13.9 '/opt/nvidia-variant-provider[tools]'

# Stops the build, before gigabytes are fetched, where uv would go on with the CPU wheel.
RUN nvidia-variant-provider explain "$INDEX" --package torch==2.14.1 --target gh200@580 \
    --installer uv --require-gpu --expect cuda13.2_sbsa

# nvidia-variant-provider properties --target gh200@580 --format dockerfile
# target gh200@580: driver branch R580; CUDA 13.0; GH200 Grace Hopper (9.0)
ENV NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION=13.0
ENV NV_VARIANT_PROVIDER_FORCE_SM_ARCH=9.0
ENV UV_PREVIEW_FEATURES=wheel-variants

RUN uv venv && uv pip install --default-index "$INDEX" torch==2.14.1

CMD [".venv/bin/python", "-c", "import torch; print(torch.__version__)"]
