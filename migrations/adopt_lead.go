package migrations

// leadSpec keeps one lead per session, and all leads without one.
var leadSpec = spec{
	table: "leads", version: 1,
	values: []string{
		"whole lead_score", "flag data_confirmed", "flag marketing_consent", "flag rodo_consent",
		"time created_at", "time updated_at",
	},
	selects: `{session session_id} as session_id, coalesce(length({text session_id}), 0) > 255 as session_long,
  {email email} as email, {given email} as email_given, lower(trim({text status})) as status0, {given status} as status_given,
  {fn said}({text notes}, 'marketing') as said_marketing, {fn said}({text notes}, 'rodo') as said_rodo`,
	layers: `z as materialized (select b.*,
    case when status0 in ('new', 'contacted', 'qualified', 'converted', 'lost') then status0 end as status,
    case when session_id is null then id
    else first_value(id) over (partition by session_id order by created_at nulls last, id) end as keeper
  from b)`,
	checks: []check{
		{lost, "duplicate_session", "session_id: an earlier lead has it", "keeper <> id",
			"the earliest lead of a session is kept (created_at, then id), the others go to the archive"},
		{note, "long_session", "session_id: longer than 255 characters", "session_long",
			"it is cut and ends in a digest, so that two never become one"},
		{note, "long_email", "email: longer than 255 characters", "email_given and email is null",
			"the address becomes empty"},
		{note, "status_unknown", "status: unknown", "status_given and status is null", "the lead becomes new"},
		{info, "time_missing", "created_at: missing", "not created_at_given",
			"the time of the last change, else of the adoption"},
	},
	copies: []string{
		"id = s.id",
		"session_id = s.session_id",
		"name = {text name}",
		"email = s.email",
		"phone = {text phone}",
		"interested_package = {text interested_package}",
		"property_size = {text property_size}",
		"property_type = {text property_type}",
		"location = {text location}",
		"message = {text message}",
		"source = coalesce({text source}, 'chatbot')",
		"status = coalesce(s.status, 'new')",
		"notes = {text notes}",
		"monday_item_id = {text monday_item_id}",
		"lead_score = coalesce(s.lead_score, 0)",
		"data_confirmed = coalesce(s.data_confirmed, false)",
		"marketing_consent = coalesce(c.marketing >= 10, {mode})",
		"rodo_consent = coalesce(c.rodo >= 10, {mode})",
		"created_at = coalesce(s.created_at, s.updated_at, {now})",
		"updated_at = coalesce(s.updated_at, s.created_at, {now})",
	},
	joins: `left join chatops_consent_leads c on c.id = s.id`,
}
