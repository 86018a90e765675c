# Packages in a stage of their own; what runs is not root.
FROM python:3.13-slim AS packages
COPY requirements/system-info-service.txt /requirements.txt
RUN pip install --no-cache-dir --target /packages -r /requirements.txt

FROM python:3.13-slim
COPY --from=packages /packages /packages
WORKDIR /app
COPY service.py system_info_service.py ./
ENV PYTHONPATH=/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=5002
USER 65532:65532
EXPOSE 5002
ENTRYPOINT ["python", "system_info_service.py"]
