select
    flight_date,
    origin,
    carrier,
    count(*) as flights,
    count_if(cancelled)::bigint as cancelled,
    count_if(diverted)::bigint as diverted,
    count_if(on_time)::bigint as on_time,
    count_if(on_time) / count(*) as on_time_share,
    avg(dep_delay) as mean_dep_delay,
    avg(arr_delay) as mean_arr_delay
from {{ ref('stg_flights') }}
group by all
order by flight_date, origin, carrier
