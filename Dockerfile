# docker build -t nada-demo . && docker run --rm -p 7860:7860 nada-demo
# CPU build of torch, starter weights inside: the container starts without a network.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 user
USER user
WORKDIR /home/user/app
ENV PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False

# requirements-cluster.txt: with Ray, see docker-compose.yml
ARG REQUIREMENTS=requirements.txt
COPY --chown=user requirements.txt requirements-cluster.txt ./
# With a GPU: drop the first of these two lines, so that requirements.txt brings torch with CUDA.
RUN pip install --user --no-cache-dir "torch>=2.10,<2.13" "torchvision>=0.25,<0.28" --index-url https://download.pytorch.org/whl/cpu
RUN pip install --user --no-cache-dir -r $REQUIREMENTS

COPY --chown=user . .
RUN python -m nada_core fetch starter

EXPOSE 7860
CMD ["python", "app.py"]
