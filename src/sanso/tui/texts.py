"""The words of the terminal in English and Japanese; a vital sign's own texts stand in the catalogue."""

from __future__ import annotations

from sanso.model.readings import Layer
from sanso.model.status import AlertLevel, Status, WorkerState

DOTS = {Status.NORMAL: "🟢", Status.WARNING: "🟡", Status.CRITICAL: "🔴", Status.UNKNOWN: "⚪"}
LEVEL_DOTS = {AlertLevel.INFO: "🔵", AlertLevel.WARNING: "🟡", AlertLevel.CRITICAL: "🔴"}

_WORDS: dict[str, tuple[str, str]] = {
    "application": ("Application", "アプリケーション"),
    "system": ("System", "システム"),
    "ai": ("AI", "AI"),
    "status.normal": ("Normal", "正常"),
    "status.warning": ("Warning", "警告"),
    "status.critical": ("Critical", "危険"),
    "status.unknown": ("–", "–"),
    "workers.normal": ("Active", "稼働"),
    "workers.warning": ("Degraded", "低下"),
    "workers.critical": ("Critical", "危険"),
    "workers.unknown": ("–", "–"),
    "state.active": ("ACTIVE", "稼働中"),
    "state.processing": ("PROCESSING", "処理中"),
    "state.waiting": ("IDLE", "待機中"),
    "state.error": ("ERROR", "エラー"),
    "state.stalled": ("STALLED", "停滞"),
    "state.lost": ("LOST", "応答なし"),
    "level.info": ("Info", "情報"),
    "level.warning": ("Warning", "警告"),
    "level.critical": ("Critical", "危険"),
    "firing": ("firing", "発報中"),
    "pending": ("pending", "保留中"),
    "organisation": ("AI organisation", "AI組織"),
    "alerts": ("Alerts", "アラート"),
    "no_alerts": ("Nothing fires.", "発報はありません。"),
    "no_workers": ("No worker has reported yet.", "まだWorkerの報告がありません。"),
    "no_workers_how": (
        'Start one with telemetry.worker("ANALYST") of sanso.sdk, or run: sanso demo',
        'sanso.sdk の telemetry.worker("ANALYST") で開始、または sanso demo を実行',
    ),
    "cpu": ("CPU", "CPU"),
    "tasks": ("Tasks", "タスク"),
    "failed": ("failed", "失敗"),
    "since": ("since", "開始"),
    "waiting_first": ("Waiting for the first reading …", "最初の計測を待っています …"),
    "no_answer": ("No answer from {where}: {error}", "{where} から応答がありません: {error}"),
    "data_age": ("the figures are {age} old; still trying", "表示は{age}前の値です。再試行中"),
    "paused": ("PAUSED", "一時停止"),
    "here": ("this process", "このプロセス"),
    "key.quit": ("quit", "終了"),
    "key.help": ("help", "ヘルプ"),
    "key.mode": ("mode", "表示"),
    "key.language": ("日本語", "English"),
    "key.pause": ("pause", "停止"),
    "key.interval": ("interval", "間隔"),
    "key.theme": ("theme", "配色"),
    "key.refresh": ("refresh", "更新"),
    "key.detail": ("details", "詳細"),
    "key.back": ("back", "戻る"),
    "now": ("Now", "現在"),
    "lowest": ("Lowest", "最小"),
    "highest": ("Highest", "最大"),
    "average": ("Average", "平均"),
    "between": ("Now between", "現在の範囲"),
    "warning_at": ("Warning", "警告"),
    "critical_at": ("Critical", "危険"),
    "expression": ("PromQL", "PromQL"),
    "last_minutes": ("last 15 minutes", "直近15分"),
    "no_history": ("Nothing measured in the last 15 minutes.", "直近15分の計測値はありません。"),
    "loading": ("Asking …", "問い合わせ中 …"),
    "cannot_ask": ("Cannot ask: {error}", "問い合わせできません: {error}"),
}

_HELP: tuple[tuple[str, str, str], ...] = (
    ("↑ ↓ ← →  Tab", "choose a vital sign, a layer", "指標・層を選ぶ"),
    ("Enter / click", "last 15 minutes, thresholds, PromQL", "直近15分・しきい値・PromQL"),
    ("m", "all · performance only · organisation only", "全体・性能のみ・組織のみ"),
    ("p / space", "pause and go on", "一時停止・再開"),
    ("+  -", "shorter or longer interval", "更新間隔を短く・長く"),
    ("r", "ask now", "今すぐ更新"),
    ("l", "日本語", "English"),
    ("t", "dark · light · the terminal's own colours", "暗色・明色・端末の配色"),
    ("? / Esc", "this help · back", "このヘルプ・戻る"),
    ("q / Ctrl-C", "quit", "終了"),
)


def say(key: str, lang: str) -> str:
    """The word for `key`; English where the language is not known."""
    english, japanese = _WORDS[key]
    return japanese if lang == "ja" else english


def language(lang: str) -> str:
    """The key of a vital sign's texts: "ja" or "en"."""
    return "ja" if lang == "ja" else "en"


def age_text(seconds: float, lang: str) -> str:
    """How long ago, in whole units: `42 s`, `3 min`, `2 h`, `4 d`."""
    names = ("秒", "分", "時間", "日") if lang == "ja" else (" s", " min", " h", " d")
    size = max(0, int(seconds))
    for limit, length, name in ((60, 1, names[0]), (3_600, 60, names[1]), (172_800, 3_600, names[2])):
        if size < limit:
            return f"{size // length}{name}"
    return f"{size // 86_400}{names[3]}"


def layer_title(layer: Layer, lang: str) -> str:
    """The layer's name."""
    return say(layer, lang)


def status_word(status: Status, lang: str, *, workers: bool = False) -> str:
    """Normal, Warning, Critical; for the organisation Active, Degraded, Critical."""
    return say(f"{'workers' if workers else 'status'}.{status.value}", lang)


def state_word(state: WorkerState, lang: str) -> str:
    """A worker's state, in capitals as the original specification draws it."""
    return say(f"state.{state.value}", lang)


def level_word(level: AlertLevel, lang: str) -> str:
    """An alert's level."""
    return say(f"level.{level.value}", lang)


def help_lines(lang: str) -> list[tuple[str, str]]:
    """Key and what it does."""
    return [(key, japanese if lang == "ja" else english) for key, english, japanese in _HELP]
