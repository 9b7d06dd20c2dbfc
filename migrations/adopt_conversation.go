package migrations

// conversationSpec keeps one conversation per session. What it needs of the
// messages and follow-ups is ready when rows are copied, not when they are
// judged.
var conversationSpec = spec{
	table: "chat_conversations", version: 1,
	values: []string{
		"time started_at", "time ended_at", "flag awaiting_confirmation", "whole followup_count",
		"time last_followup_at", "time last_user_message_at", "flag marketing_consent", "flag rodo_consent",
		"flag needs_human_review", "id version",
	},
	selects: `{session session_id} as session_id, coalesce(length({text session_id}), 0) > 255 as session_long,
  {email email} as own_email, {given email} as email_given,
  {json context_data} as context, {given context_data} as context_given,
  {fn said}({text context_data}, 'marketing') as said_marketing, {fn said}({text context_data}, 'rodo') as said_rodo`,
	layers: `y as materialized (select b.*, {fn facts}(context) as facts from b),
z as materialized (select y.*, {fn context_email}(facts) as context_email,
    case when session_id is null then id
    else first_value(id) over (partition by session_id order by started_at nulls last, id) end as keeper
  from y)`,
	checks: []check{
		{lost, "duplicate_session", "session_id: an earlier conversation has it", "keeper <> id",
			"the earliest conversation of a session is kept (started_at, then id) and gets the messages and follow-ups of the others, which go to the archive"},
		{note, "long_session", "session_id: longer than 255 characters", "session_long",
			"it is cut and ends in a digest, so that two never become one"},
		{note, "long_email", "email: longer than 255 characters", "email_given and own_email is null",
			"the address becomes empty"},
		{note, "context_unreadable", "context_data: not JSON", "context_given and context is null",
			"context_data becomes empty"},
		{note, "context_unreadable", "context_data: not an object", "context is not null and facts is null",
			"context_data becomes empty"},
		{note, "context_changed", "context_data: values of other types", "facts is not null and facts <> context",
			"numbers in text become numbers, such as \"75 m2\" 75; what cannot be read is left out"},
		{note, "context_further", "context_data: further fields", "facts is not null and {fn further}(facts)",
			"the fields stay until the conversation goes on, which keeps those of the chat only"},
		{info, "session_missing", "session_id: missing", "session_id is null",
			"the conversation gets an id that nobody can guess"},
		{info, "email_from_context", "email: from context_data", "own_email is null and context_email is not null",
			"the address is taken from context_data"},
		{info, "time_missing", "started_at: missing", "not started_at_given",
			"the time of the first message, else of the adoption"},
	},
	copies: []string{
		"id = s.id",
		"session_id = coalesce(s.session_id, 'adopted-' || {random})",
		"email = coalesce(s.own_email, s.context_email)",
		"started_at = coalesce(s.started_at, spoke.first_at, {now})",
		"ended_at = s.ended_at",
		"context_data = {document s.facts}",
		"awaiting_confirmation = coalesce(s.awaiting_confirmation, false)",
		"followup_count = {greatest}(coalesce(s.followup_count, 0), coalesce(followed.n, 0))",
		"last_followup_at = coalesce(s.last_followup_at, followed.last_at)",
		"last_user_message_at = case when spoke.user_at is null or s.last_user_message_at > spoke.user_at then s.last_user_message_at else spoke.user_at end",
		"marketing_consent = coalesce(c.marketing >= 10, {mode})",
		"rodo_consent = coalesce(c.rodo >= 10, {mode})",
		"needs_human_review = coalesce(s.needs_human_review, false)",
		"version = {greatest}(coalesce(s.version, 1), 1)",
	},
	joins: `left join chatops_spoke spoke on spoke.conversation_id = s.id
left join chatops_followed followed on followed.conversation_id = s.id
left join chatops_consent_chat_conversations c on c.id = s.id`,
}

// messageSpec keeps the messages of conversations that exist, under the
// conversation that was kept of a session.
var messageSpec = spec{
	table: "chat_messages", version: 1,
	values: []string{"time timestamp", "flag is_followup"},
	selects: `{id conversation_id} as conversation0,
  coalesce(cast({id conversation_id} as text), {text conversation_id}) as conversation_key,
  lower(trim({text sender})) as said, {raw message} is null as mute`,
	layers: `y as (select b.*, case when said in ('user', 'human', 'visitor', 'customer', 'client') then 'user'
    when said in ('bot', 'assistant', 'chatbot', 'ai', 'model') then 'bot' end as sender from b),
z as (select y.*, k.id as conversation_id, k.started_at as began from y
  left join chatops_moved m on m.old_key = y.conversation_key
  left join chatops_known k on k.id = coalesce(m.new_id, y.conversation0))`,
	keeps: `z.rid, z.source, z.id, z.conversation_id, coalesce(z.sender, 'bot') as sender,
  coalesce(z.timestamp, z.began) as at, coalesce(z.is_followup, false) as is_followup`,
	checks: []check{
		{lost, "orphan", "conversation_id: no such conversation", "conversation_id is null",
			"a message without a conversation goes to the archive"},
		{note, "sender_unknown", "sender: neither the user nor the bot", "sender is null and said <> ''",
			"the message counts as the bot's"},
		{info, "sender_mapped", "sender: another word for user or bot", "sender is not null and said not in ('user', 'bot')",
			"assistant, chatbot, ai and model become bot; human, visitor, customer and client become user"},
		{info, "sender_missing", "sender: missing", "coalesce(said, '') = ''", "the message counts as the bot's"},
		{info, "message_missing", "message: missing", "mute", "the text becomes empty"},
		{info, "time_missing", "timestamp: missing", "not timestamp_given",
			"the time at which the conversation began, else of the adoption"},
	},
	copies: []string{
		"id = s.id",
		"conversation_id = s.conversation_id",
		"message = coalesce({text message}, '')",
		"sender = s.sender",
		"timestamp = coalesce(s.at, {now})",
		"is_followup = s.is_followup",
	},
}
