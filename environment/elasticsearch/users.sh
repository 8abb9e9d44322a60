#!/bin/bash
# Gives Kibana its password and Logstash a user that can write its own indices and nothing else. Can be run again.
set -euo pipefail
url=http://elasticsearch:9200/_security

# The password is handed over on standard input: curl's command line would show it.
put() { # METHOD PATH BODY
    printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD" |
        curl --config - --fail --silent --show-error --output /dev/null --request "$1" \
            --header 'Content-Type: application/json' --data-binary @<(printf %s "$3") "$url/$2"
}

put POST user/kibana_system/_password "{\"password\": \"$KIBANA_PASSWORD\"}"
put PUT role/pipeline_writer '{
    "cluster": ["monitor", "manage_index_templates"],
    "indices": [{"names": ["pipeline-*"], "privileges": ["auto_configure", "create_index", "create_doc"]}]
}'
put PUT user/pipeline_logs "{\"password\": \"$LOGSTASH_PASSWORD\", \"roles\": [\"pipeline_writer\"]}"
