"""Figures of the moment in the form that Prometheus reads.

In: `Figures`, and what else was measured. Out: text, beside the counters of the meter.
Not known here: how anything is measured, who asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from agent_ui.cluster import ClusterFigures
from agent_ui.figures import Figures
from agent_ui.meter import Meter
from agent_ui.shared_files import ObjectFigures
from agent_ui.traces import TraceFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Collector):
    """What is measured at the moment of asking."""

    figures: Figures
    lag_s: float
    """How far the text of the slowest running call is behind, 0 where none runs."""
    webhooks_waiting: int
    """Events that receivers do not have yet."""
    cluster: ClusterFigures
    objects: ObjectFigures | None
    """How the store of shared files fares; None where there is none."""
    traces: TraceFigures

    def collect(self) -> Iterator[Metric]:
        """Every figure, once."""
        yield from self._house()
        yield from self._ears()
        yield from self._remote()
        yield from self._machine()
        yield from self._cluster()
        yield from self._objects()

    def _house(self) -> Iterator[Metric]:
        figures = self.figures
        calls, journal, served = figures.calls, figures.journal, figures.search.served
        yield _info("zhiting_build", "The running program.", version=figures.server.version)
        yield _info("zhiting_kb", "What answers.", version=served.version if served else "")
        yield _gauge("zhiting_start_time_seconds", "When it began.", figures.server.started_at.timestamp())
        yield _gauge("zhiting_ready", "Whether one more call would be taken.", calls.refusal is None)
        yield _gauge("zhiting_calls_running", "Running calls.", calls.running)
        yield _gauge("zhiting_calls_limit", "Calls that may run.", calls.max_calls)
        yield _gauge("zhiting_screens", "Open screens.", calls.screens)
        yield _gauge("zhiting_lag_seconds", "How far the slowest call's text is behind.", self.lag_s)
        yield _gauge("zhiting_journal_waiting", "Facts that are not on the disk yet.", journal.waiting)
        yield _gauge("zhiting_journal_limit", "Facts that may wait.", journal.limit)
        yield _counter("zhiting_journal_failures", "Facts that the disk did not take.", journal.failed)
        yield _gauge("zhiting_webhooks_waiting", "Events not delivered yet.", self.webhooks_waiting)
        yield _counter("zhiting_traces_sent", "Spans that the collector took.", self.traces.sent)
        yield _counter("zhiting_traces_lost", "Spans that it did not take.", self.traces.lost)

    def _ears(self) -> Iterator[Metric]:
        ears = self.figures.ears.stats
        queued = GaugeMetricFamily("zhiting_ears_queued", "Utterances that wait.", labels=["kind"])
        queued.add_metric(["final"], ears.queued_finals)
        queued.add_metric(["partial"], ears.queued_partials)
        queued.add_metric(["recorded"], ears.queued_recorded)
        yield queued
        yield _gauge("zhiting_ears_oldest_final_seconds", "The longest wait of a final.", ears.oldest_final_s)
        yield _gauge("zhiting_ears_load", "Share of the threads' time used lately.", ears.load)
        yield _gauge("zhiting_ears_workers", "Threads that recognise.", self.figures.ears.workers)
        decoded = CounterMetricFamily("zhiting_ears_decoded", "Utterances recognised.", labels=["kind"])
        decoded.add_metric(["final"], ears.finals)
        decoded.add_metric(["partial"], ears.partials)
        yield decoded
        yield _counter("zhiting_ears_batches", "Batches recognised.", ears.batches)
        yield _gauge("zhiting_ears_batch_mean", "Mean utterances in a batch.", ears.mean_batch)
        yield _counter("zhiting_ears_decoded_seconds", "Sound recognised in calls.", ears.decoded_s)
        yield _counter("zhiting_ears_recorded_seconds", "Sound of recordings recognised.", ears.recorded_s)
        yield _counter("zhiting_ears_partials_dropped", "Partials given up.", ears.partials_dropped)
        yield _counter("zhiting_ears_rejected", "Finals that made no sense.", ears.rejected)
        yield _counter("zhiting_ears_failed", "Utterances that the engine failed on.", ears.failed)

    def _remote(self) -> Iterator[Metric]:
        """The machines that recognise, where there are some."""
        remote = self.figures.ears.remote
        if remote is None:
            return
        yield _gauge("zhiting_ray_linked", "Whether Ray is reached.", remote.is_linked)
        yield _gauge("zhiting_remote_ears", "Ears that take work.", remote.ready)
        yield _gauge("zhiting_remote_ears_deaf_seconds", "For how long there has been none.", remote.deaf_s)
        yield _gauge("zhiting_remote_ears_calls_limit", "Calls that they carry.", remote.calls or 0)
        yield _counter("zhiting_remote_ears_lost", "Ears that died or fell silent.", remote.lost)
        yield _counter("zhiting_remote_ears_redone", "Batches done again by another ear.", remote.redone)
        yield _counter("zhiting_remote_ears_doubled", "Slow batches given to a second ear.", remote.doubled)
        up = GaugeMetricFamily("zhiting_remote_ear_up", "Whether it takes work.", labels=["ear"])
        busy = GaugeMetricFamily("zhiting_remote_ear_busy", "Share of its time used lately.", labels=["ear"])
        pending = GaugeMetricFamily("zhiting_remote_ear_pending", "Batches it has in hand.", labels=["ear"])
        age = GaugeMetricFamily("zhiting_remote_ear_age_seconds", "How long it is there.", labels=["ear"])
        batches = CounterMetricFamily("zhiting_remote_ear_batches", "Batches decoded.", labels=["ear"])
        for label, ear in remote.by_label().items():
            up.add_metric([label], float(ear.state == "ready"))
            busy.add_metric([label], ear.busy)
            pending.add_metric([label], ear.pending)
            age.add_metric([label], ear.age_s)
            batches.add_metric([label], ear.batches)
        yield from (up, busy, pending, age, batches)

    def _cluster(self) -> Iterator[Metric]:
        cluster, bus = self.cluster, self.cluster.bus
        yield _gauge("zhiting_leader", "Whether it does what one process alone does.", cluster.is_leader)
        yield _gauge("zhiting_processes_seen", "Other processes that live.", cluster.others)
        yield _gauge("zhiting_calls_held", "Calls held by a lease.", cluster.held)
        yield _counter("zhiting_cluster_failures", "Looks into the database that failed.", cluster.failures)
        yield _gauge(
            "zhiting_bus_up", "Whether the bus works; 0 where the database alone is used.", bus.is_up
        )
        yield _gauge("zhiting_bus_expected", "Whether there should be a bus.", cluster.has_bus)
        yield _gauge("zhiting_bus_waiting", "Messages that wait to be sent.", bus.waiting)
        yield _counter("zhiting_bus_sent", "Messages sent.", bus.sent)
        yield _counter("zhiting_bus_received", "Messages of other processes.", bus.received)
        yield _counter("zhiting_bus_lost", "Messages given up; others read the database.", bus.lost)
        yield _counter("zhiting_bus_malformed", "Messages that were none of ours.", bus.malformed)
        yield _counter("zhiting_bus_outages", "How often the bus went down.", bus.outages)

    def _objects(self) -> Iterator[Metric]:
        """The store of shared files, where there is one."""
        if self.objects is None:
            return
        stats = self.objects.stats
        yield _gauge("zhiting_objects_up", "Whether the object store answered.", stats.is_up)
        yield _counter("zhiting_objects_failures", "Requests it did not answer.", stats.failures)
        waiting = GaugeMetricFamily("zhiting_objects_waiting", "Files it does not have.", labels=["what"])
        for what, count in self.objects.waiting:
            waiting.add_metric([what], count)
        yield waiting

    def _machine(self) -> Iterator[Metric]:
        machine, disk = self.figures.machine, self.figures.disk
        yield _gauge("zhiting_machine_cores", "Processor cores to be used.", machine.cores)
        yield _gauge("zhiting_machine_load", "Share of the cores' time used lately.", machine.load)
        yield _gauge("zhiting_machine_memory_free_bytes", "Memory to be had.", machine.memory_free)
        yield _gauge("zhiting_memory_bytes", "Memory of this process.", machine.process_memory)
        yield _gauge("zhiting_disk_free_bytes", "Free below the data folder.", disk.free)
        yield _gauge("zhiting_disk_total_bytes", "All of that disk.", disk.total)
        reserve = self.figures.calls.min_free_bytes
        yield _gauge("zhiting_disk_reserve_bytes", "Free space below which no call is taken.", reserve)
        held = GaugeMetricFamily("zhiting_data_bytes", "What lies in the data folder.", labels=["what"])
        held.add_metric(["audio"], disk.audio)
        held.add_metric(["kb"], disk.kb)
        held.add_metric(["models"], disk.models)
        held.add_metric(["database"], disk.database)
        yield held


def exposition(meter: Meter, snapshot: Snapshot) -> bytes:
    """Counters and figures together, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(snapshot)
    return generate_latest(registry) + generate_latest(meter.registry)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(name, meaning, value=float(value))


def _info(name: str, meaning: str, **labels: str) -> Metric:
    return InfoMetricFamily(name, meaning, value=labels)
