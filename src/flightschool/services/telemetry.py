"""Telemetry off: the variables by which every tool of the course is told not to call home."""

OFF: dict[str, str] = {
    "DO_NOT_TRACK": "1",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "CHECKPOINT_DISABLE": "1",
    "DAGSTER_TELEMETRY_DISABLED": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "SCARF_ANALYTICS": "false",
}
"""For the environment of whatever we start. CHECKPOINT_DISABLE is Terraform's."""
