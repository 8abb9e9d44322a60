select
    flight_date,
    origin,
    count(*) as flights,
    sum(cast(cancelled as integer)) as cancelled,
    sum(cast(on_time as integer)) as on_time
from {{ ref('stg_flights') }}
group by flight_date, origin
