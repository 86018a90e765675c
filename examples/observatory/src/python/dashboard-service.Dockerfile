# Packages in a stage of their own; what runs is not root.
FROM python:3.13-slim AS packages
COPY requirements/dashboard-service.txt /requirements.txt
RUN pip install --no-cache-dir --target /packages -r /requirements.txt

FROM python:3.13-slim
COPY --from=packages /packages /packages
WORKDIR /app
COPY service.py dashboard_service.py dashboard.html ./
ENV PYTHONPATH=/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=5000
USER 65532:65532
EXPOSE 5000
ENTRYPOINT ["python", "dashboard_service.py"]
