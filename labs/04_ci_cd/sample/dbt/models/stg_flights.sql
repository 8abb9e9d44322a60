select
    flight_date,
    carrier,
    flight,
    origin,
    dest,
    sched_dep_time,
    dep_time is null as cancelled,
    coalesce(arr_delay < 15, false) as on_time
from {{ source('raw', 'flights') }}
