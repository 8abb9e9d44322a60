select
    make_date(year, month, day) as flight_date,
    time_hour,
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    dep_delay,
    arr_delay,
    distance,
    dep_time is null as cancelled,
    dep_time is not null and arr_delay is null as diverted,
    dep_time is not null and coalesce(arr_delay < 15, false) as on_time
from {{ source('raw', 'flights') }}
