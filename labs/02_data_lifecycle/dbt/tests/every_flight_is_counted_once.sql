select loaded.flights as loaded, reported.flights as reported
from (select count(*) as flights from {{ source('raw', 'flights') }}) as loaded
cross join (select sum(flights) as flights from {{ ref('daily_on_time') }}) as reported
where loaded.flights is distinct from reported.flights
