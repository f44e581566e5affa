import threading

from celery import current_app

from bot import queue, tasks
from config.celery import app


def test_every_thread_sends_jobs_to_our_queue() -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(current_app.conf.broker_url))
    thread.start()
    thread.join()
    assert found == [app.conf.broker_url]


def test_jobs_sent_by_name_exist() -> None:
    names = {queue.ANSWER_NEXT, queue.SCRUB_MESSAGE, queue.INDEX_ARTICLE, queue.INDEX_CANNED}
    names |= {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert names <= set(app.tasks)
    assert tasks.answer_next.name == queue.ANSWER_NEXT
