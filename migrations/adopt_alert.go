package migrations

// alertSpec keeps every alert, makes targets logical and payloads what senders
// accept. Alerts that wait go on waiting and are due at once.
var alertSpec = spec{
	table: "dead_letter_queue", version: 2,
	values: []string{
		"whole retry_count", "time created_at", "time last_attempt_at", "time last_retry_at", "time delivered_at",
	},
	selects: `nullif(trim({text event_type}), '') as event, {text target} as target0, {text payload} as payload0,
  {fn hide}({json payload}) as document, {given payload} as payload_given,
  lower(trim({text status})) as status0, {given status} as status_given,
  {text idempotency_key} as key, {text fingerprint} as fingerprint, {text operation_id} as operation`,
	layers: `x as materialized (select b.*, {fn target}(event, target0, payload0) as target,
    case when status0 in ('queued', 'pending', 'delivered', 'failed', 'discarded', 'cancelled') then status0
      when status0 = 'canceled' then 'cancelled'
      when status0 in ('sent', 'success', 'succeeded', 'done', 'ok', 'completed') then 'delivered'
      when status0 in ('error', 'dead', 'exhausted') then 'failed'
      when not status_given or status0 in ('retry', 'retrying', 'processing', 'in_progress', 'new', 'waiting') then 'pending'
    end as status
  from b),
z as materialized (select x.*, {fn payload}(event, target, payload0) as payload,
    case when status is null or status in ('queued', 'pending') and target is null then 'failed' else status end as state,
    row_number() over (partition by key order by id) as nth_key,
    case when last_attempt_at is null or last_retry_at > last_attempt_at then last_retry_at else last_attempt_at end as last_at
  from x)`,
	keeps: `z.rid, z.source, z.id, z.event, z.target, z.payload, z.retry_count, z.state, z.created_at, z.last_at, z.delivered_at,
  case when z.nth_key = 1 then substr(z.key, 1, 255) end as key, substr(z.fingerprint, 1, 64) as fingerprint,
  substr(z.operation, 1, 64) as operation,
  case when z.status is null then 'adopted with the unknown status ' || z.status0
    when z.state <> z.status then 'adopted: no integration serves ' || coalesce(z.event, 'it') end as trouble`,
	checks: []check{
		{note, "target_unknown", "target: no integration serves it", "target is null",
			"the target becomes older: and the event type; an alert that waits becomes failed, for an operator to decide"},
		{note, "target_changed", "target: replaced by a logical name",
			"target is not null and coalesce(target0, '') <> '' and target0 not like '%://%' and target0 <> target and 'mailto:' || trim(target0) <> target",
			"targets are names such as slack:alerts, monday:leads and mailto:address"},
		{info, "target_secret", "target: an address that may be a secret",
			"target0 like '%://%'", "the address is replaced by a logical name and kept nowhere"},
		{note, "payload_unreadable", "payload: not JSON", "payload_given and document is null",
			"the text becomes the field raw of an object"},
		{note, "payload_changed", "payload: not as its receiver accepts it", "document is not null and payload <> document",
			"what is no object becomes the field raw; a missing text, subject or item name is taken from its other names"},
		{info, "payload_missing", "payload: missing", "not payload_given", "the payload becomes an empty object"},
		{note, "status_unknown", "status: unknown", "status is null", "the alert becomes failed, for an operator to decide"},
		{info, "status_mapped", "status: another word", "status <> status0",
			"sent, done and the like become delivered; error and dead failed; retrying and the like pending"},
		{note, "long_text", "event_type: longer than 50 characters", "length(event) > 50", "the text is cut"},
		{info, "alert_waiting", "status: waits", "state in ('queued', 'pending')", "the alert is due at once and will be sent"},
		{info, "time_missing", "created_at: missing", "not created_at_given", "the time of the last attempt, else of the adoption"},
	},
	copies: []string{
		"id = s.id",
		"event_type = substr(coalesce(s.event, 'unknown'), 1, 50)",
		"target = coalesce(s.target, 'older:' || substr(coalesce(s.event, 'unknown'), 1, 50))",
		"payload = {document s.payload}",
		"error_message = nullif(concat_ws('; ', s.trouble, nullif({fn redact}({text error_message}), '')), '')",
		"retry_count = {greatest}(coalesce(s.retry_count, 0), 0)",
		"status = s.state",
		"created_at = coalesce(s.created_at, s.last_at, {now})",
		"last_attempt_at = s.last_at",
		"delivered_at = case when s.state = 'delivered' then coalesce(s.delivered_at, s.last_at, s.created_at, {now}) else s.delivered_at end",
		"next_attempt_at = {now}",
		"idempotency_key = s.key",
		"fingerprint = s.fingerprint",
		"operation_id = s.operation",
	},
	guards: map[string]string{"target": "redact", "error_message": "redact", "*": "hide"},
}
