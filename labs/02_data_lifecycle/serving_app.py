"""The serving API as a server runs it (`uvicorn serving_app:app`): $WAREHOUSE names the data, $MODEL the model, if any."""

import os
from pathlib import Path

from serving import create_app

app = create_app(Path(os.environ["WAREHOUSE"]), Path(os.environ["MODEL"]) if "MODEL" in os.environ else None)
