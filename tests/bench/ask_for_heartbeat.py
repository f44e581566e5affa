"""Ask the worker to say that it lives, through the queue that turns go through."""

from config.celery import app

if __name__ == "__main__":
    app.send_task("bot.tasks.heartbeat")
