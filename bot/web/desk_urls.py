from django.urls import path

from bot.web import extras, inbox, reveals

app_name = "desk"
urlpatterns = [
    path("", inbox.inbox_page, name="inbox"),
    path("sign-in/", inbox.sign_in_page, name="sign-in"),
    path("sign-out/", inbox.sign_out, name="sign-out"),
    path("language/", inbox.language, name="language"),
    path("list/", inbox.list_fragment, name="list"),
    path("<uuid:conversation_id>/", inbox.conversation, name="conversation"),
    path("<uuid:conversation_id>/refresh/", inbox.refresh, name="refresh"),
    path("<uuid:conversation_id>/earlier/<int:before>/", inbox.earlier, name="earlier"),
    path("<uuid:conversation_id>/messages/<uuid:uuid>/", inbox.message, name="message"),
    path("<uuid:conversation_id>/take-over/", inbox.take_over, name="take-over"),
    path("<uuid:conversation_id>/reply/", inbox.reply, name="reply"),
    path("<uuid:conversation_id>/hand-back/", inbox.hand_back, name="hand-back"),
    path("<uuid:conversation_id>/close/", inbox.close, name="close"),
    path("conversations/<uuid:conversation_id>/reveal", reveals.show, name="reveal"),
    path("conversations/<uuid:conversation_id>/revealed", reveals.history, name="revealed"),
    path("conversations/<uuid:conversation_id>/allowance", extras.show, name="allowance"),
    path("conversations/<uuid:conversation_id>/extra", extras.give, name="extra"),
]
