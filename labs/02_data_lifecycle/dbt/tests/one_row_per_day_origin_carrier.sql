select flight_date, origin, carrier, count(*) as found
from {{ ref('daily_on_time') }}
group by all
having count(*) > 1
