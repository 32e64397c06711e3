# A studio for the CPU:
#   docker build -t gemma-studio .
#   docker run -p 7860:7860 -e STUDIO_CREDENTIALS=name:password -v gemma-studio:/data gemma-studio
# For an NVIDIA GPU, name the CUDA of the driver:
#   docker build -t gemma-studio --build-arg TORCH=cu128 .
#   docker run --gpus all -p 7860:7860 -e STUDIO_CREDENTIALS=name:password -v gemma-studio:/data gemma-studio
FROM python:3.12-slim AS environment

# uv knows where PyTorch keeps its build for the CPU, a tenth of the size of the one for CUDA.
ARG TORCH=cpu
RUN pip install --no-cache-dir uv
WORKDIR /studio
COPY requirements.txt .
RUN uv venv /venv && uv pip install --python /venv --no-cache --torch-backend=${TORCH} -r requirements.txt

FROM python:3.12-slim

RUN useradd --create-home --uid 1000 user && install --directory --owner=user --mode=0700 /data
COPY --from=environment /venv /venv
WORKDIR /studio
COPY --chown=user . .
USER user

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/data/huggingface \
    STUDIO_HOME=/data \
    STUDIO_HOST=0.0.0.0
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=8)"]
# Without STUDIO_CREDENTIALS (name:password, or auto to have one made and printed) it refuses to start.
CMD ["python", "-m", "studio", "serve"]
