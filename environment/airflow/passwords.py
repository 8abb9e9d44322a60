"""Puts the administrator's password, from the environment, where Airflow's simple auth manager reads it."""

import json
import os
from pathlib import Path

place = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
new = place.with_suffix(".part")
new.touch(mode=0o600)
new.write_text(json.dumps({"admin": os.environ["AIRFLOW_PASSWORD"]}))
new.replace(place)
