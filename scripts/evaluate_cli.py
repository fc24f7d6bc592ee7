"""`zhiting evaluate`: how well it hears and how well it suggests, measured on calls that are known.

In: a folder of references and recordings. Out: tables, or JSON on standard output; exit code 2 and a
sentence where the folder is not one, 1 where something failed.
Not known here: how anything is counted (`docs/evaluation.md` defines it).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from agent_ui.settings import Settings
from asr.batch.ears import EarOptions
from asr.batch.types import ListeningOptions
from asr.transcriber import WhisperOptions
from asr.types import Segment
from calls.safety.word_files import shipped_rules
from calls.wrapup.lore import sample_gazetteer
from retrieval.assistant import CallAssistant
from retrieval.judge import Judge
from retrieval.types import Channel, Query
from scripts import (
    evaluate_alarms,
    evaluate_asr,
    evaluate_messages,
    evaluate_names,
    evaluate_retrieval,
    evaluate_wrapup,
)
from scripts.call_data import BadData, ReferenceCall, read_calls, with_recordings
from scripts.dialogues import read_off_topic_test
from scripts.evaluate_retrieval import CallCounts
from scripts.evaluate_warnings_cli import warnings
from scripts.folds import fold_judges, split, spread
from scripts.labelled import FOUND
from scripts.matching import open_matching
from scripts.message_vectors import embed_messages
from scripts.model_drafts import redraft
from scripts.telling import failing_politely, progress, tell
from scripts.train_advisor import TrainingOptions
from scripts.train_messages import folds_of, judge_unseen, read_messages
from scripts.transcripts import EarSettings, Transcripts, transcribe_calls
from scripts.weights import weights_of
from scripts.wording import lexicon_of, put_right
from scripts.wrapup_drafts import draft_calls, reference_texts

app = typer.Typer(help="Measure hearing and suggesting on known calls.", no_args_is_help=True)
app.command()(warnings)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="NAME.json beside NAME.wav, or recordings with a manifest.jsonl."),
]
MessageFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="Lines of JSON: title, text, category.", exists=True, dir_okay=False),
]
_CALIBRATION_FOLDS = 3  # a model for each fold has to be calibrated in turn; more take long
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


class Part(StrEnum):
    """What of the search can be left out."""

    DENSE = "dense"
    LEXICAL = "lexical"
    PINYIN = "pinyin"
    DIALOGUE = "dialogue"
    """The turns before the newest one."""


class Engine(StrEnum):
    """What drafts a wrap-up."""

    EMBEDDED = "embedded"
    LLM = "llm"


@app.command()
def asr(folder: Folder, as_json: AsJson = False) -> None:
    """Character error rate of every leg of every call."""
    with failing_politely():
        settings = Settings()
        calls = read_calls(folder)
        ears, heard = hear_calls(calls, settings)
        final = put_right(heard.segments, lexicon_of(settings.data_dir, settings.lexicon_path))
        scores = [evaluate_asr.score_call(call, final[call.call_id]) for call in calls]
        before = [evaluate_asr.score_call(call, heard.segments[call.call_id]) for call in calls]
        told = evaluate_asr.report(scores, x_realtime=heard.x_realtime, settings=ears.told())
        told["cer_before_correction"] = evaluate_asr.pooled(before).rate
        tell(told, [evaluate_asr.table(scores)], as_json=as_json)


@app.command()
def retrieval(
    folder: Folder,
    as_json: AsJson = False,
    recognised: Annotated[bool, typer.Option(help="Whether the recordings are listened to as well.")] = True,
    folds: Annotated[
        int, typer.Option(min=0, help="Parts, each judged by a model of the others; 0: the shipped model.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="How the calls are divided into folds.")] = 0,
    without: Annotated[
        list[Part] | None, typer.Option(help="A part that is left out, to see what it is worth.")
    ] = None,
) -> None:
    """Hits, silence, precision and churn of the cards, on reference text and on recognised text."""
    with failing_politely():
        settings = Settings()
        calls = read_calls(folder)
        ears, final = None, None
        if recognised:
            ears, heard = hear_calls(calls, settings)
            final = put_right(heard.segments, lexicon_of(settings.data_dir, settings.lexicon_path))
        fold = split(calls, folds, seed) if folds else {}
        counts, off_topic, told = asyncio.run(_count(calls, final, settings, fold, frozenset(without or ())))
        report = evaluate_retrieval.report(counts, told | {"ears": ears and ears.told()})
        report["without"] = sorted(without or ())
        report["off_topic"] = evaluate_retrieval.off_topic(off_topic)
        shown = [*evaluate_retrieval.tables(counts), evaluate_retrieval.off_topic_table(off_topic)]
        if fold:
            report["folds"] = {"folds": folds, "seed": seed, "spread": spread(counts, fold)}
            shown.append(evaluate_retrieval.spread_table(report["folds"]["spread"]))
        tell(report, shown, as_json=as_json)


@app.command()
def names(
    folder: Folder,
    as_json: AsJson = False,
    examples: Annotated[int, typer.Option(min=0, help="Corrections to show as they stand in the text.")] = 20,
) -> None:
    """Names that were spoken and are right in the text, and what correcting by sound mends and harms."""
    with failing_politely():
        settings = Settings()
        calls = read_calls(folder)
        _, heard = hear_calls(calls, settings)
        lexicon = lexicon_of(settings.data_dir, settings.lexicon_path)
        final = put_right(heard.segments, lexicon)
        fixed = evaluate_names.read_names()
        judged = [
            evaluate_names.judge_call(
                call, heard.segments[call.call_id], final[call.call_id], fixed, lexicon.terms.__contains__
            )
            for call in calls
        ]
        tell(evaluate_names.report(judged), evaluate_names.tables(judged, examples), as_json=as_json)


@app.command()
def turns(folder: Folder, as_json: AsJson = False) -> None:
    """Who of the two spoke when, where both legs are laid together; takes some minutes."""
    from scripts import evaluate_turns  # loads PyTorch, which none of the others needs

    with failing_politely():
        settings = Settings()
        calls = read_calls(folder)
        ears = EarOptions(
            folder=weights_of(settings, settings.speech_model),
            whisper=ears_of(settings).whisper,
            listening=ListeningOptions(channels="mono", voices=weights_of(settings, "voices")),
            beam_size=settings.beam_size,
        )
        with progress("telling speakers apart", len(calls) * len(evaluate_turns.LINES)) as advance:
            told = evaluate_turns.measure_calls(calls, ears, on_done=advance)
        tell(told, [evaluate_turns.table(told)], as_json=as_json)


@app.command()
def wrapup(
    folder: Folder,
    as_json: AsJson = False,
    recognised: Annotated[bool, typer.Option(help="Whether the recordings are listened to as well.")] = True,
    engine: Annotated[
        Engine, typer.Option(help="What drafts; llm asks the model of ZHITING_LLM_URL a second time.")
    ] = Engine.EMBEDDED,
) -> None:
    """Fields of the work order, drafted from reference text and from recognised text."""
    with failing_politely():
        settings = Settings()
        calls = read_calls(folder)
        orders = evaluate_wrapup.read_orders(folder, calls)
        forms: dict[str, Mapping[str, Sequence[Segment]]] = {"reference": reference_texts(calls)}
        if recognised:
            _, heard = hear_calls(calls, settings)
            forms["recognised"] = put_right(
                heard.segments, lexicon_of(settings.data_dir, settings.lexicon_path)
            )
        options = settings.llm_options
        if engine is Engine.LLM and options is None:
            raise BadData("Set ZHITING_LLM_URL and ZHITING_LLM_MODEL: there is no language model to ask.")
        drafts = asyncio.run(draft_calls(forms, settings))
        by_form, fared = dict(drafts.by_form), {}
        if engine is Engine.LLM and options is not None:
            for form, texts in forms.items():
                with progress("asking the model", len(texts)) as advance:
                    by_form[form], how = asyncio.run(
                        redraft(texts, drafts.by_form[form], drafts.lore, options, advance)
                    )
                fared[form] = how.told(options.model)
        gazetteer = sample_gazetteer()
        told: dict[str, Any] = {
            form: evaluate_wrapup.report(
                [
                    evaluate_wrapup.judge(call, orders[call.call_id], found[call.call_id], gazetteer)
                    for call in calls
                ]
            )
            for form, found in by_form.items()
        }
        shown = [evaluate_wrapup.table(told)]
        told |= {"engine": engine, "language_model": fared} if fared else {}
        tell(told | {"draft_ms_max": max(drafts.took_ms), "settings": drafts.told}, shown, as_json=as_json)


@app.command()
def messages(
    file: MessageFile,
    as_json: AsJson = False,
    folds: Annotated[int, typer.Option(min=2, help="Parts, each judged by a model of the others.")] = 5,
    seed: Annotated[int, typer.Option(help="How the messages are divided into folds.")] = 0,
) -> None:
    """F1 of the categories of typed messages, each judged by a model that was trained without its fold."""
    with failing_politely():
        rows = read_messages(file)
        fold = folds_of(rows, folds, seed)
        some = embed_messages([row.message for row in rows], Settings())
        wanted = [row.category for row in rows]
        told = evaluate_messages.report(wanted, judge_unseen(some, wanted, fold, seed), fold, seed=seed)
        tell(told, [evaluate_messages.table(told)], as_json=as_json)


@app.command()
def alarms(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Known calls in which alarms are looked for as well."),
    ] = None,
    as_json: AsJson = False,
    recognised: Annotated[bool, typer.Option(help="Whether the recordings are listened to as well.")] = True,
) -> None:
    """Dangers among written sentences that raise an alarm, and the alarms of known calls."""
    with failing_politely():
        rules = shipped_rules()
        told: dict[str, Any] = {
            "written": evaluate_alarms.judge_sentences(evaluate_alarms.read_sentences(), rules),
            "calls": {},
        }
        if folder is not None:
            settings = Settings()
            calls = read_calls(folder)
            forms: dict[str, Mapping[str, Sequence[Segment]]] = {"reference": reference_texts(calls)}
            if recognised:
                _, heard = hear_calls(calls, settings)
                lexicon = lexicon_of(settings.data_dir, settings.lexicon_path)
                forms["recognised"] = put_right(heard.segments, lexicon)
            told["calls"] = {form: evaluate_alarms.judge_calls(each, rules) for form, each in forms.items()}
        tell(told, evaluate_alarms.tables(told), as_json=as_json)


async def _count(
    calls: Sequence[ReferenceCall],
    heard: Mapping[str, Sequence[Segment]] | None,
    settings: Settings,
    fold: Mapping[str, int],
    without: frozenset[Part],
) -> tuple[list[CallCounts], list[CallCounts], dict[str, Any]]:
    """Count what the assistant does with the calls and with the off-topic dialogues; say what it searched.

    With folds each call has a judge that never saw it, and the off-topic dialogues that of the first fold.
    """
    day = settings.now().date()
    embedding = weights_of(settings, settings.embedding_model)
    async with open_matching(
        settings.data_dir,
        embedding,
        now=settings.now(),
        tell=_console.print,
        without=frozenset(Channel(part) for part in without if part is not Part.DIALOGUE),
    ) as matching:

        def asked(query: Query) -> Query:
            return replace(query, turns=query.turns[:1]) if Part.DIALOGUE in without else query

        judges: dict[int, Judge] = {}
        if fold:
            _console.print("Training a model for each fold.")
            judges = await asyncio.to_thread(
                fold_judges,
                calls,
                heard,
                fold=fold,
                find=lambda query: matching.searcher.search(asked(query), day=day, k=FOUND),
                options=TrainingOptions(folds=_CALIBRATION_FOLDS),
            )

        def open_assistant(call_id: str) -> CallAssistant:
            return CallAssistant(call_id, judge=judges.get(fold.get(call_id, 0)))

        async def count(
            some: Sequence[ReferenceCall], texts: Mapping[str, Sequence[Segment]] | None
        ) -> list[CallCounts]:
            with progress("reading calls", len(some)) as advance:
                return await evaluate_retrieval.count_calls(
                    some,
                    texts,
                    open_assistant=open_assistant,
                    search=lambda query: matching.searcher.find(asked(query), day=day),
                    on_done=advance,
                )

        counts = await count(calls, heard)
        off_topic = await count(read_off_topic_test(), None)
        topics = {topic for call in calls for turn in call.turns for topic in turn.relevant_topics}
        return counts, off_topic, matching.told(topics) | {"day": day.isoformat()}


def ears_of(settings: Settings) -> EarSettings:
    """The ears that the settings name; raises `WeightsError` where their weights are not to be had."""
    return EarSettings(
        model=settings.speech_model,
        folder=weights_of(settings, settings.speech_model),
        whisper=WhisperOptions(
            device=settings.device, compute_type=settings.compute_type, vocabulary=settings.speech_vocabulary
        ),
        beam_size=settings.beam_size,
    )


def hear_calls(calls: Sequence[ReferenceCall], settings: Settings) -> tuple[EarSettings, Transcripts]:
    """What the ears of the settings hear in the calls, remembered or now; raises `BadData`."""
    with_recordings(calls)  # says what is missing before anything that takes long
    ears = ears_of(settings)
    place = settings.data_dir / "evaluation" / "transcripts"
    with progress("hearing calls", len(calls)) as advance:
        return ears, asyncio.run(transcribe_calls(calls, ears, place, on_done=advance))
