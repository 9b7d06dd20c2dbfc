-- What an older application's values mean, for PostgreSQL. adopt_value.go,
-- adopt_facts.go and adopt_alert.go say the same for SQLite; a test compares
-- the two. They live in the session that adopts and nowhere else.

create function pg_temp.adopt_time(t text) returns timestamptz language plpgsql as $$
declare m text[]; n numeric; u bigint; r timestamptz;
begin
    t := btrim(t, E' \t\r\n');
    m := regexp_match(t, '^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]((?:[01][0-9]|2[0-3]):[0-5][0-9])'
        '(?:(:[0-5][0-9])(?:[.,]([0-9]{1,6})[0-9]*)?)?)? ?(Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?$', 'i');
    if m is not null then
        r := (m[1] || ' ' || coalesce(m[2], '00:00') || coalesce(m[3], ':00') || coalesce('.' || m[4], '')
            || coalesce(nullif(upper(m[5]), 'Z'), '+00'))::timestamptz;
    elsif t ~ '^[0-9]{9,17}(\.[0-9]*)?$' then
        n := t::numeric;
        if n < 1e8 then
            return null;
        end if;
        u := round(n * case when n < 1e11 then 1000000 when n < 1e14 then 1000 else 1 end);
        r := timestamptz 'epoch' + (u / 1000000) * interval '1 second' + (u % 1000000) * interval '1 microsecond';
    end if;
    if r >= '0001-01-01 00:00:00+00' and r < '10000-01-01 00:00:00+00' then
        return r;
    end if;
    return null;
exception when others then
    return null;
end $$;

create function pg_temp.adopt_flag(t text) returns boolean language sql immutable as $$
    select case
        when lower(btrim(t, E' \t\r\n')) in ('t', 'true', 'y', 'yes', 'on', 'tak') then true
        when lower(btrim(t, E' \t\r\n')) in ('f', 'false', 'n', 'no', 'off', 'nie') then false
        when btrim(t, E' \t\r\n') ~ '^[+-]?[0-9]{1,18}(\.[0-9]{1,18})?$' then btrim(t, E' \t\r\n')::numeric <> 0
    end $$;

create function pg_temp.adopt_id(t text) returns bigint language sql immutable as $$
    select case when btrim(t, E' \t\r\n') ~ '^[+-]?[0-9]{1,18}(\.0*)?$'
        then split_part(btrim(t, E' \t\r\n'), '.', 1)::bigint end $$;

create function pg_temp.adopt_whole(t text) returns integer language sql immutable as $$
    select case when pg_temp.adopt_id(t) between -2147483648 and 2147483647
        then pg_temp.adopt_id(t)::integer end $$;

create function pg_temp.adopt_session(t text) returns text language sql immutable as $$
    select case when btrim(t, E' \t\r\n') = '' then null
        when length(t) > 255 then left(t, 222) || '~' || left(encode(sha256(convert_to(t, 'UTF8')), 'hex'), 32)
        else t end $$;

create function pg_temp.adopt_email(t text) returns text language sql immutable as $$
    select case when length(btrim(t, E' \t\r\n')) between 1 and 255 then btrim(t, E' \t\r\n') end $$;

create function pg_temp.adopt_key(t text) returns text language sql immutable as $$
    select lower(btrim(t, E' \t\r\n')) $$;

-- What a text such as "marketing_consent: false" says; a no outweighs a yes.
create function pg_temp.adopt_said(t text, what text) returns boolean language sql immutable as $$
    select bool_and(said.m[1] in ('true', 'yes', 'tak', 'on', '1', 't'))
    from regexp_matches(lower(t), '(?<![a-z0-9_])' || what || '[_ -]?consent\\*["'']?[ \t\r\n]*[:=][ \t\r\n]*\\*["'']?'
        '(true|false|yes|no|tak|nie|on|off|1|0|t|f)(?![a-z0-9_])', 'g') said (m) $$;

-- Escapes that jsonb refuses, as chatops.CleanJSON replaces them.
create function pg_temp.adopt_unescape(t text) returns text language plpgsql immutable as $$
begin
    if t !~* '\\u(0000|d[89a-f])' or strpos(t, chr(1)) > 0 then
        return t;
    end if;
    t := replace(t, '\\', chr(1));
    t := replace(t, '\u0000', '\ufffd');
    t := regexp_replace(t, '\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})', '\\ufffd', 'g');
    t := regexp_replace(t, '(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}', '\\ufffd', 'g');
    return replace(t, chr(1), '\\');
end $$;

create function pg_temp.adopt_json(t text) returns text language plpgsql as $$
begin
    t := pg_temp.adopt_unescape(t);
    perform t::json;
    return t;
exception when others then
    return null;
end $$;

-- The object that a JSON text is, or holds as a string that was encoded twice.
create function pg_temp.adopt_object(t text) returns text language plpgsql as $$
declare inside text;
begin
    t := pg_temp.adopt_json(t);
    if json_typeof(t::json) = 'string' then
        inside := pg_temp.adopt_json(t::json #>> '{}');
        return case when json_typeof(inside::json) = 'object' then inside end;
    end if;
    return case when json_typeof(t::json) = 'object' then t end;
exception when others then
    return null;
end $$;

-- The whole number that a text such as "75 m2", "150 000" or "150 tys." means.
create function pg_temp.adopt_loose(t text) returns bigint language plpgsql as $$
declare token text; unit text; n numeric;
begin
    t := lower(translate(t, chr(160) || chr(8239) || chr(8201), '   '));
    token := rtrim(substring(t from '[0-9][0-9 .,]*'), ' .,');
    if token is null then
        return null;
    end if;
    unit := substring(substr(t, strpos(t, token) + length(token)) from '^ *([^0-9 .,;:/()+-]+)');
    if token ~ '^[0-9]{1,3}([ .][0-9]{3})+(,[0-9]+)?$' then
        n := replace(translate(token, ' .', ''), ',', '.')::numeric;
    elsif token ~ '^[0-9]+([.,][0-9]+)?$' then
        n := replace(token, ',', '.')::numeric;
    else
        n := substring(token from '^[0-9]+')::numeric;
    end if;
    if unit = 'k' or unit like 'tys%' then
        n := n * 1000;
    elsif unit = 'mln' or unit like 'milion%' then
        n := n * 1000000;
    end if;
    n := round(n);
    return case when n between 1 and 1000000000 then n::bigint end;
exception when others then
    return null;
end $$;

-- context_data with the types that this program reads; null: not an object.
create function pg_temp.adopt_facts(t text) returns text language plpgsql as $$
declare object text; j jsonb; v jsonb; k text; n bigint; said boolean; touched boolean := false;
begin
    object := pg_temp.adopt_object(t);
    if object is null then
        return null;
    end if;
    j := object::jsonb;
    foreach k in array array['name', 'email', 'phone', 'city', 'package', 'language'] loop
        v := j -> k;
        if jsonb_typeof(v) not in ('string', 'null') then
            touched := true;
            j := case when jsonb_typeof(v) = 'number' then jsonb_set(j, array[k], to_jsonb(object::json ->> k)) else j - k end;
        end if;
    end loop;
    foreach k in array array['square_meters', 'budget'] loop
        v := j -> k;
        continue when v is null or jsonb_typeof(v) = 'null';
        n := case when jsonb_typeof(v) in ('number', 'string') then pg_temp.adopt_loose(v #>> '{}') end;
        if n is null or jsonb_typeof(v) = 'string' or object::json ->> k <> n::text then
            touched := true;
            j := case when n is null then j - k else jsonb_set(j, array[k], to_jsonb(n)) end;
        end if;
    end loop;
    v := j -> 'booking_intent_detected';
    if jsonb_typeof(v) not in ('boolean', 'null') then
        touched := true;
        said := pg_temp.adopt_flag(v #>> '{}');
        j := case when said is null then j - 'booking_intent_detected'
            else jsonb_set(j, '{booking_intent_detected}', to_jsonb(said)) end;
    end if;
    return case when touched then j::text else object end;
exception when others then
    return null;
end $$;

create function pg_temp.adopt_further(t text) returns boolean language plpgsql as $$
begin
    return exists (select from json_object_keys(t::json) k where k not in ('name', 'email', 'phone', 'city',
        'square_meters', 'budget', 'package', 'booking_intent_detected', 'language'));
exception when others then
    return true;
end $$;

create function pg_temp.adopt_context_email(t text) returns text language plpgsql as $$
begin
    t := pg_temp.adopt_email(t::json ->> 'email');
    return case when t ~ '^[^@ \t\r\n]+@[^@ \t\r\n]+$' then t end;
exception when others then
    return null;
end $$;

-- A Slack webhook's address is a secret.
create function pg_temp.adopt_hide(t text) returns text language sql immutable as $$
    select regexp_replace(t, 'hooks\.slack(-gov)?\.com(\\*/[A-Za-z0-9_%.~+=&?-]*)+', 'hooks.slack.com/[redacted]', 'gi') $$;

create function pg_temp.adopt_redact(t text) returns text language sql immutable as $$
    select regexp_replace(regexp_replace(regexp_replace(t,
        '(https?://)(?:[^/ \t\r\n@"''<>]*@)?([^/ \t\r\n@"''<>\\]+)[^ \t\r\n"''<>]*', '\1\2/[redacted]', 'gi'),
        '/(services|workflows|triggers)/[^ \t\r\n"''<>)]+', '/\1/[redacted]', 'gi'),
        '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+', '[address]', 'g') $$;

-- The logical target of an alert; null: no integration of ours serves it.
create function pg_temp.adopt_target(event text, target text, payload text) returns text language plpgsql as $$
declare object json; address text; k text;
begin
    event := lower(coalesce(event, ''));
    target := btrim(coalesce(target, ''), E' \t\r\n');
    if target ~ '^(slack|monday|webhook):[A-Za-z0-9_.-]{1,64}$' then
        return target;
    elsif strpos(event, 'slack') > 0 or target ~* 'hooks\.slack(-gov)?\.com' then
        return 'slack:alerts';
    elsif strpos(event, 'monday') > 0 or target ~* '[/.]monday\.com' then
        return 'monday:leads';
    elsif strpos(event, 'mail') = 0 and target !~ '^[^ \t\r\n/@]+@[^ \t\r\n/@]+$' then
        return null;
    end if;
    address := substring(target from '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,63}');
    object := pg_temp.adopt_object(payload)::json;
    foreach k in array array['to', 'email', 'recipient', 'to_email', 'recipient_email'] loop
        exit when address is not null;
        address := substring(object ->> k from '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,63}');
    end loop;
    return case when length(address) <= 240 then 'mailto:' || address end;
exception when others then
    return null;
end $$;

-- The first of the keys that holds words.
create function pg_temp.adopt_words(j jsonb, variadic keys text[]) returns text language plpgsql immutable as $$
declare k text;
begin
    foreach k in array keys loop
        if jsonb_typeof(j -> k) = 'string' and btrim(j ->> k, E' \t\r\n') <> '' then
            return j ->> k;
        end if;
    end loop;
    return null;
end $$;

-- The payload as the sender of the target accepts it.
create function pg_temp.adopt_payload(event text, target text, payload text) returns text language plpgsql as $$
declare object text; j jsonb; made jsonb; words text; k text; filled boolean := false;
begin
    payload := pg_temp.adopt_hide(payload);
    if payload is null then
        return '{}';
    end if;
    object := pg_temp.adopt_object(payload);
    if object is null then
        payload := coalesce(pg_temp.adopt_json(payload), to_json(payload)::text);
        return '{"raw": ' || payload || '}';
    end if;
    j := object::jsonb;
    made := j;
    if target = 'slack:alerts' then
        foreach k in array array['text', 'blocks', 'attachments'] loop
            filled := filled or coalesce(j -> k not in ('null', '""', '[]'), false);
        end loop;
        words := pg_temp.adopt_words(j, 'message', 'title', 'alert', 'body', 'content');
        if not filled and words is not null then
            made := jsonb_set(j, '{text}', to_jsonb(words));
        end if;
    elsif target like 'mailto:%' then
        words := pg_temp.adopt_words(j, 'body', 'message', 'content');
        if pg_temp.adopt_words(j, 'text', 'html') is null and words is not null then
            made := jsonb_set(made, '{text}', to_jsonb(words));
        end if;
        words := coalesce(pg_temp.adopt_words(j, 'title'), nullif(event, ''));
        if pg_temp.adopt_words(j, 'subject') is null and words is not null then
            made := jsonb_set(made, '{subject}', to_jsonb(words));
        end if;
    elsif target = 'monday:leads' then
        words := pg_temp.adopt_words(j, 'name', 'title');
        if pg_temp.adopt_words(j, 'item_name') is null and words is not null then
            made := jsonb_set(made, '{item_name}', to_jsonb(words));
        end if;
    end if;
    return case when made = j then object else made::text end;
exception when others then
    return object;
end $$;
