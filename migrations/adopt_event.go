package migrations

// followupSpec keeps one event of a conversation and number.
var followupSpec = spec{
	table: "followup_event", version: 3,
	values: []string{"whole followup_number", "time sent_at"},
	selects: `{id conversation_id} as conversation0,
  coalesce(cast({id conversation_id} as text), {text conversation_id}) as conversation_key,
  nullif(trim({text status}), '') as status`,
	layers: `y as (select b.*, k.id as conversation_id, k.started_at as began, k.last_followup_at from b
  left join chatops_moved m on m.old_key = b.conversation_key
  left join chatops_known k on k.id = coalesce(m.new_id, b.conversation0)),
z as materialized (select y.*, case when conversation_id is null or followup_number is null then id
    else first_value(id) over (partition by conversation_id, followup_number order by sent_at nulls last, id) end as keeper
  from y)`,
	checks: []check{
		{lost, "orphan", "conversation_id: no such conversation", "conversation_id is null",
			"a follow-up without a conversation goes to the archive"},
		{lost, "number_missing", "followup_number: missing or not a number", "followup_number is null",
			"a follow-up without a number goes to the archive"},
		{lost, "duplicate_followup", "followup_number: an earlier follow-up of the conversation has it", "keeper <> id",
			"the earliest of a conversation and number is kept (sent_at, then id), the others go to the archive"},
		{note, "long_text", "status: longer than 20 characters", "length(status) > 20", "the text is cut"},
		{info, "time_missing", "sent_at: missing", "not sent_at_given",
			"the time of the conversation's last follow-up, else of its beginning"},
	},
	copies: []string{
		"id = s.id",
		"conversation_id = s.conversation_id",
		"followup_number = s.followup_number",
		"status = substr(coalesce(s.status, 'sent'), 1, 20)",
		"sent_at = coalesce(s.sent_at, s.last_followup_at, s.began, {now})",
	},
}

// auditSpec keeps every row: what happened stays on record.
var auditSpec = spec{
	table: "consent_audit_log", version: 3,
	values: []string{"id conversation_id", "id lead_id", "time timestamp"},
	selects: `coalesce(cast({id conversation_id} as text), {text conversation_id}) as conversation_key,
  coalesce(cast({id lead_id} as text), {text lead_id}) as lead_key, nullif(trim({text action}), '') as action,
  {email email} as own_email, {given email} as email_given, {text ip_address} as ip_address`,
	layers: `z as materialized (select b.*, coalesce(m.new_id, b.conversation_id) as conversation,
    coalesce(l.new_id, b.lead_id) as lead, coalesce(b.own_email, k.email, j.email) as email
  from b
  left join chatops_moved m on m.old_key = b.conversation_key
  left join chatops_known k on k.id = coalesce(m.new_id, b.conversation_id)
  left join chatops_moved_lead l on l.old_key = b.lead_key
  left join chatops_known_lead j on j.id = coalesce(l.new_id, b.lead_id))`,
	checks: []check{
		{note, "long_email", "email: longer than 255 characters", "email_given and own_email is null",
			"the address becomes that of the conversation or lead, else empty"},
		{note, "long_text", "action: longer than 50 characters", "length(action) > 50", "the text is cut"},
		{note, "long_text", "ip_address: longer than 50 characters", "length(ip_address) > 50", "the text is cut"},
		{info, "action_missing", "action: missing", "action is null", "the action becomes unknown"},
		{info, "email_found", "email: missing, found elsewhere", "own_email is null and email is not null",
			"the address is that of the conversation or lead"},
		{info, "email_missing", "email: missing", "email is null", "the address becomes empty"},
		{info, "time_missing", "timestamp: missing", "not timestamp_given", "the time of the adoption"},
	},
	copies: []string{
		"id = s.id",
		"conversation_id = s.conversation",
		"lead_id = s.lead",
		"email = coalesce(s.email, '')",
		"action = substr(coalesce(s.action, 'unknown'), 1, 50)",
		"timestamp = coalesce(s.timestamp, {now})",
		"ip_address = substr(s.ip_address, 1, 50)",
		"user_agent = {text user_agent}",
		"reason = {text reason}",
		"notes = {text notes}",
	},
}
