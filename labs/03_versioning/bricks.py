"""The bricks of DataOps: nine domains, their tools, and a chooser that asks for a need and argues for one of them.

`needs()` lists what can be asked for; `argue("bring back March")` names a tool, why, against which rival, and what would change its mind.
"""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass

from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations

_ = translations("03_versioning")


@dataclass(frozen=True)
class Brick:
    """One tool: what it is for, in a clause; `module` is where this course runs it."""

    name: str
    domain: str
    purpose: str
    module: str


@dataclass(frozen=True)
class Need:
    """A need as a person says it, the tool to take, the rival, why the one, and when the other. `words` are what gives it away in free text."""

    said: str
    take: str
    rival: str
    why: str
    unless: str
    words: str


DOMAINS = {
    "versioning": _("Versioning"),
    "ci_cd": _("CI/CD"),
    "containers": _("Containers"),
    "orchestration": _("Orchestration"),
    "iac": _("Infrastructure as code"),
    "cloud": _("Cloud and storage"),
    "monitoring": _("Monitoring"),
    "quality": _("Quality"),
    "secrets": _("Secrets"),
}
BRICKS = tuple(
    Brick(*row)
    for row in (
        ("Git", "versioning", _("every version of text: code, SQL, pointers"), "03"),
        ("DVC", "versioning", _("files too large for Git, and pipelines over them"), "03"),
        ("lakeFS", "versioning", _("branches over a whole lake"), "03"),
        ("Apache Iceberg", "versioning", _("snapshots and branches of one table"), "03"),
        ("GitHub Actions", "ci_cd", _("pipelines beside code on GitHub"), "04"),
        ("GitLab CI", "ci_cd", _("pipelines beside code on GitLab"), "04"),
        ("Jenkins", "ci_cd", _("pipelines on your own machines, with every plugin there is"), "04"),
        ("Docker", "containers", _("a program with all that it needs, as one image"), "05"),
        ("docker compose", "containers", _("several containers on one machine"), "05"),
        ("Kubernetes", "containers", _("containers on many machines, kept alive"), "12"),
        ("Airflow", "orchestration", _("what runs when, after what; the widest choice of connections"), "06"),
        ("Prefect", "orchestration", _("Python functions as flows, decided while they run"), "06"),
        ("Dagster", "orchestration", _("tables as assets, with their lineage"), "06"),
        ("Terraform", "iac", _("cloud resources as they should be"), "08"),
        ("Ansible", "iac", _("what is installed and configured on machines that exist"), "08"),
        ("AWS S3", "cloud", _("Amazon's object store; with Glue, EMR and Redshift around it"), "03"),
        ("Google Cloud Storage", "cloud", _("Google's object store; with BigQuery above it"), "03"),
        (
            "Azure Blob Storage",
            "cloud",
            _("Microsoft's object store; with Synapse and Fabric above it"),
            "03",
        ),
        ("HDFS", "cloud", _("files on your own cluster's disks"), "02"),
        ("BigQuery", "cloud", _("a warehouse without a cluster to size, paid by what is read"), "02"),
        ("Snowflake", "cloud", _("a warehouse on any of the three clouds"), "02"),
        ("Redshift", "cloud", _("a warehouse inside AWS"), "02"),
        ("Prometheus", "monitoring", _("numbers over time, and alerts on them"), "09"),
        ("Grafana", "monitoring", _("dashboards over many sources"), "09"),
        ("ELK", "monitoring", _("logs that can be searched"), "09"),
        ("Evidently", "monitoring", _("drift of data and models"), "09"),
        ("Great Expectations", "quality", _("expectations of any table, with documents people read"), "07"),
        ("dbt tests", "quality", _("tests of tables in the warehouse, beside their SQL"), "07"),
        ("pytest", "quality", _("tests of code; with chispa of Spark, with Testcontainers of servers"), "07"),
        ("Vault", "secrets", _("secrets with a lifetime, for any cloud"), "10"),
        ("AWS Secrets Manager", "secrets", _("secrets that AWS rotates for you"), "10"),
        ("Kubernetes Secrets", "secrets", _("secrets handed to pods"), "10"),
    )
)
"""The outline's table, tool by tool. What it names that is a service behind these (KMS, IAM, EMR, GKE) comes with them."""

NEEDS = tuple(
    Need(*row)
    for row in (
        (
            _("Somebody changed a rule in the code, and the figure moved"), "Git", "DVC",
            _("every change of text has an author, a reason and a predecessor, and bisect finds the one in thirty"),
            _("what changed is a file of gigabytes: then the pointer is in Git and the bytes in DVC's remote"),
            "code rule sql commit author blame review bisect figure",
        ),
        (
            _("A colleague overwrote March, one large file; bring it back"), "DVC", "lakeFS",
            _("the pointer in Git says which bytes March had, and the remote still holds them under their checksum; nothing else must run"),
            _("thousands of files are written each hour by many programs, which nobody will put under dvc add: then a lake with branches"),
            "overwrote overwritten march back restore file model large reproduce training dataset",
        ),
        (
            _("Many jobs write into one lake, and a bad night must be undone for all of them at once"), "lakeFS", "Apache Iceberg",
            _("a branch spans all files of the lake, so a night is merged or reverted as a whole, without a copy"),
            _("it is one table: then its own snapshots and branches do it, with no server more"),
            "lake many jobs night undo revert branch isolate all at once",
        ),
        (
            _("One table must show only rows that were checked"), "Apache Iceberg", "lakeFS",
            _("write to the table's branch, audit it, let main name the snapshot: the readers never see the rest"),
            _("a check needs several tables or raw files to agree: then branch the lake"),
            "table rows checked audit publish snapshot time travel",
        ),
        (
            _("Each commit must be tested before it is merged; the code is on GitHub"), "GitHub Actions", "Jenkins",
            _("it is beside the code, and nobody keeps a server"),
            _("tests need a machine in your own cellar, or the law forbids to send code out: a runner of your own, or Jenkins"),
            "github test commit merge pull request workflow ci",
        ),
        (
            _("The same, on a GitLab that the company runs itself"), "GitLab CI", "GitHub Actions",
            _("one file in the repository, runners in your own network, environments and approvals included"),
            _("the code is on GitHub anyway"),
            "gitlab self hosted own network approval environments",
        ),
        (
            _("A build farm of twenty years, with hardware attached to it"), "Jenkins", "GitLab CI",
            _("there is a plugin for all that was ever built, and it runs where you put it"),
            _("you begin from nothing: then somebody would have to feed it"),
            "jenkins plugin legacy hardware farm on premises",
        ),
        (
            _("It works on my machine"), "Docker", "Ansible",
            _("the image is the machine: libraries, system, program, under one digest"),
            _("the machine can't run containers: then describe what is installed on it"),
            "works on my machine library dependency version image package",
        ),
        (
            _("A laptop should bring up the database, the broker and the API together"), "docker compose", "Kubernetes",
            _("one file, one command, one machine"),
            _("it must live on when that machine dies"),
            "laptop local together database broker development start",
        ),
        (
            _("Forty containers on ten machines; one dies each week"), "Kubernetes", "docker compose",
            _("you say how many should live, and it keeps so many alive, updates them one by one and goes back when they fail"),
            _("one machine is enough: then all of this is a burden"),
            "machines scale cluster dies pods autoscaling rolling",
        ),
        (
            _("Two hundred jobs at night, over thirty systems, with retries and backfills"), "Airflow", "Prefect",
            _("it has a provider for nearly every system, and an operations view that a night shift can read"),
            _("what runs next is only known while it runs, and all is Python: then Prefect is lighter"),
            "night jobs retries backfill schedule many systems dag",
        ),
        (
            _("A Python script should become a flow this afternoon"), "Prefect", "Airflow",
            _("a decorator makes a function a task, and loops and ifs stay Python"),
            _("the whole company already operates Airflow"),
            "python script flow afternoon dynamic loop quick",
        ),
        (
            _("People ask for tables, not for jobs: is this one fresh, what is it made of?"), "Dagster", "Airflow",
            _("the table is what is declared; jobs, lineage and checks follow from it"),
            _("most of your work has no table at its end"),
            "tables assets fresh lineage made of",
        ),
        (
            _("Buckets, networks and a warehouse, the same for staging and production"), "Terraform", "Ansible",
            _("it knows what there is, shows what it would change, and finds drift"),
            _("the machines are there and want packages and settings"),
            "bucket network staging production cloud resources drift",
        ),
        (
            _("Thirty servers must have the same Spark with the same settings"), "Ansible", "Terraform",
            _("a playbook says how each should be, and a second run changes nothing"),
            _("servers are born and thrown away: then bake an image, and let Terraform place it"),
            "servers install configure settings spark kafka packages",
        ),
        (
            _("A lake on Amazon, read by EMR and Redshift"), "AWS S3", "HDFS",
            _("everything in AWS reads it, and storage and computing are paid apart"),
            _("the data may not leave your cellar"),
            "amazon aws s3 emr redshift glue",
        ),
        (
            _("A lake on Google, asked by SQL without a cluster"), "Google Cloud Storage", "AWS S3",
            _("BigQuery reads it where it lies"),
            _("the rest of the company is on another cloud: moving bytes out is what costs"),
            "google gcp gcs",
        ),
        (
            _("The company lives in Microsoft's world, Power BI included"), "Azure Blob Storage", "AWS S3",
            _("one directory of people and rights for files, warehouse and reports"),
            _("nothing else of yours is there"),
            "azure microsoft power bi blob",
        ),
        (
            _("A lake in our own cellar"), "HDFS", "AWS S3",
            _("it runs on your disks, beside the computing"),
            _("nobody wants to change disks: an object store with S3's interface does it on your machines, too"),
            "cellar own disks hadoop on premises cluster",
        ),
        (
            _("Analysts ask rarely, and then over everything"), "BigQuery", "Redshift",
            _("no cluster idles; you pay by bytes read, so partition"),
            _("they ask all day: then a cluster that is paid by the hour is cheaper"),
            "analysts rarely bytes read serverless bigquery",
        ),
        (
            _("Partners on three clouds should query the same tables"), "Snowflake", "BigQuery",
            _("it runs on all three and shares tables without copies"),
            _("everybody is on one cloud anyway"),
            "three clouds partners share warehouse snowflake multi",
        ),
        (
            _("A warehouse beside our other things in AWS"), "Redshift", "Snowflake",
            _("it is in the same network, under the same IAM, and reads S3 by Spectrum"),
            _("its sizing would be somebody's full-time work"),
            "warehouse aws redshift spectrum network",
        ),
        (
            _("Wake somebody when the pipeline is slow or dead"), "Prometheus", "ELK",
            _("numbers over time are small, and an alert is a formula on them"),
            _("the question is what exactly happened: that is in the logs"),
            "wake alert slow dead metrics cpu memory duration",
        ),
        (
            _("One wall screen for all that"), "Grafana", "ELK",
            _("it draws what others store: metrics, logs, SQL"),
            _("you search more than you watch"),
            "dashboard screen wall chart visualise",
        ),
        (
            _("Which of a million log lines says why?"), "ELK", "Prometheus",
            _("Elasticsearch indexes each word, Logstash takes the lines apart, Kibana asks"),
            _("you want to know how many and how fast"),
            "log logs search lines why error kibana elasticsearch",
        ),
        (
            _("The model was good in winter; is the summer still what it learnt?"), "Evidently", "Prometheus",
            _("it compares distributions, not single numbers"),
            _("one number says it all, such as the share of nulls: then an alert is enough"),
            "drift model season distribution winter summer",
        ),
        (
            _("Files from partners must be checked before anybody loads them"), "Great Expectations", "dbt tests",
            _("it checks anything tabular before it is in a warehouse, and writes a report that partners can read"),
            _("the rows are in the warehouse already"),
            "files partners checked expectations before load report validate",
        ),
        (
            _("Keys must be unique and foreign keys must exist, in the warehouse"), "dbt tests", "Great Expectations",
            _("four lines of YAML beside the model, run with each build"),
            _("there is no dbt and no SQL"),
            "unique not null foreign key relationship warehouse model tests",
        ),
        (
            _("Does this function put a delay into the right bucket?"), "pytest", "Great Expectations",
            _("code is tested by code, in milliseconds, before there are data"),
            _("the code is right and the data are not"),
            "function unit test code spark chispa",
        ),
        (
            _("Passwords on several clouds, each valid for an hour"), "Vault", "AWS Secrets Manager",
            _("it makes credentials when asked, and takes them back"),
            _("all is on AWS and nobody wants to operate Vault"),
            "password several clouds hour dynamic lifetime vault",
        ),
        (
            _("The database's password in AWS should change each month by itself"), "AWS Secrets Manager", "Vault",
            _("rotation is a setting, access is IAM"),
            _("half of your things are elsewhere"),
            "rotate rotation month database password aws secret",
        ),
        (
            _("A pod needs a token"), "Kubernetes Secrets", "Vault",
            _("they are there, and mounted as files"),
            _("the cluster's store is not encrypted, or secrets must live outside of it: then Vault hands them in"),
            "pod token mount kubernetes secret",
        ),
    )
)  # fmt: skip


class NoSuchNeed(FlightSchoolError):
    """Words in which no need was found."""


class Shown(str):
    """Text that a notebook shows as HTML."""

    rich: str = ""

    def _repr_html_(self) -> str:
        return self.rich or f"<pre>{html.escape(self)}</pre>"


def table() -> Shown:
    """The nine domains and their tools, each with its purpose and the module that runs it."""
    lines, rows = [], []
    for domain, title in DOMAINS.items():
        tools = [brick for brick in BRICKS if brick.domain == domain]
        lines.append(
            f"{title}: " + "; ".join(f"{brick.name}, {brick.purpose} ({brick.module})" for brick in tools)
        )
        cells = "<br>".join(
            f"<b>{html.escape(brick.name)}</b>: {html.escape(brick.purpose)} <small>({brick.module})</small>"
            for brick in tools
        )
        rows.append(
            f"<tr><th style='text-align:left;vertical-align:top'>{html.escape(title)}</th><td style='text-align:left'>{cells}</td></tr>"
        )
    shown = Shown("\n".join(lines))
    shown.rich = f"<table>{''.join(rows)}</table>"
    return shown


def needs(domain: str | None = None) -> list[str]:
    """The needs that can be asked for, of one domain or of all."""
    if domain is not None and domain not in DOMAINS:
        raise NoSuchNeed(
            _("There is no domain {domain!r}; there are {known}.").format(
                domain=domain, known=", ".join(DOMAINS)
            )
        )
    return [need.said for need in NEEDS if domain in (None, brick(need.take).domain)]


def brick(name: str) -> Brick:
    """A tool by its name, in any case. Raises NoSuchNeed, naming those that exist."""
    for one in BRICKS:
        if one.name.lower() == name.lower().strip():
            return one
    raise NoSuchNeed(
        _("There is no tool {name!r} here; there are {known}.").format(
            name=name, known=", ".join(one.name for one in BRICKS)
        )
    )


def choose(need: str) -> Need:
    """The need that these words come nearest to. Raises NoSuchNeed when they come near none."""
    words = set(re.findall(r"[a-z0-9]+", need.lower()))
    scored = []
    for at, known in enumerate(NEEDS):
        told = set(re.findall(r"[a-z0-9]+", known.said.lower()))
        exact = need.strip().lower() == known.said.lower()
        score = (
            100 * exact
            + 3 * len(words & set(known.words.split()))
            + len({word for word in words & told if len(word) > 3})
        )
        scored.append((score, -at, known))
    score, _at, best = max(scored, key=lambda one: one[:2])
    if not score:
        raise NoSuchNeed(
            _(
                "I don't know what to make of that. Say what you need in other words, or look at bricks.needs()."
            )
        )
    return best


def argue(need: str) -> Shown:
    """Argue for one tool: which, why, instead of what, and what would change one's mind."""
    found = choose(need)
    mine, other = brick(found.take), brick(found.rival)
    lines = (
        (_("I hear"), found.said),
        (
            _("Take"),
            _("{tool} ({domain}): {why}.").format(tool=mine.name, domain=DOMAINS[mine.domain], why=found.why),
        ),
        (_("Rather than"), _("{tool}: {purpose}.").format(tool=other.name, purpose=other.purpose)),
        (_("Unless"), _("{unless}.").format(unless=found.unless)),
        (_("You will run it in"), _("module {module}").format(module=mine.module)),
    )
    shown = Shown("\n".join(f"{label}: {text}" for label, text in lines))
    shown.rich = (
        "<table>"
        + "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th><td style='text-align:left'>{html.escape(text)}</td></tr>"
            for label, text in lines
        )
        + "</table>"
    )
    return shown


def main(words: list[str]) -> int:
    """From a terminal: argue for a need, or list what can be asked for."""
    try:
        sys.stdout.write(f"{argue(' '.join(words))}\n" if words else "".join(f"{need}\n" for need in needs()))
    except NoSuchNeed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
