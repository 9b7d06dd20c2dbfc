package sender

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func mondayReply(status int, body string, header ...string) *httpReply {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &httpReply{status: status, header: h, body: []byte(body), whole: true}
}

func extensions(code string) string {
	return `{"data":[],"errors":[{"message":"zaneta@x.example","extensions":{"code":"` + code + `","status_code":200}}]}`
}

func TestMondayAnswer_ClassifiesErrorsByTheirCode(t *testing.T) {
	t.Parallel()
	for code, kind := range map[string]chatops.FailureKind{
		"ComplexityException": chatops.FailRateLimited, "COMPLEXITY_BUDGET_EXHAUSTED": chatops.FailRateLimited,
		"RateLimitExceeded": chatops.FailRateLimited, "RATE_LIMIT_EXCEEDED": chatops.FailRateLimited,
		"maxConcurrencyExceeded": chatops.FailRateLimited, "DAILY_LIMIT_EXCEEDED": chatops.FailRateLimited,
		"IP_RATE_LIMIT_EXCEEDED": chatops.FailRateLimited, "FIELD_LIMIT_EXCEEDED": chatops.FailRateLimited,
		"UserUnauthorizedException": chatops.FailMisconfigured, "USER_UNAUTHORIZED": chatops.FailMisconfigured,
		"InvalidBoardIdException": chatops.FailMisconfigured, "InvalidColumnIdException": chatops.FailMisconfigured,
		"ResourceNotFoundException": chatops.FailMisconfigured, "missingRequiredPermissions": chatops.FailMisconfigured,
		"ItemsLimitationException": chatops.FailMisconfigured, "undefinedField": chatops.FailMisconfigured,
		"ColumnValueException": chatops.FailPermanent, "ItemNameTooLongException": chatops.FailPermanent,
		"InvalidArgumentException": chatops.FailPermanent, "JsonParseException": chatops.FailPermanent,
		"INTERNAL_SERVER_ERROR": chatops.FailTransient, "NeverHeardOfException": chatops.FailTransient,
	} {
		f := readMonday(mondayReply(200, extensions(code))).failure(noon)
		if f == nil || f.Kind != kind || f.Code != code || f.Error() != "monday: "+code {
			t.Errorf("%s: %+v", code, f)
		}
		if f != nil && (f.RetryAfter > 0) != (kind == chatops.FailRateLimited) {
			t.Errorf("%s: retry after %v", code, f.RetryAfter)
		}
	}
}

func TestMondayAnswer_UnderstandsEveryFormOfError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		reply *httpReply
		kind  chatops.FailureKind
		code  string
		wait  time.Duration
	}{
		{"retry in extensions", mondayReply(200, `{"errors":[{"message":"m","extensions":{"code":"COMPLEXITY_BUDGET_EXHAUSTED","retry_in_seconds":12.2}}]}`),
			chatops.FailRateLimited, "COMPLEXITY_BUDGET_EXHAUSTED", 13 * time.Second},
		{"retry in error data", mondayReply(429, `{"errors":[{"message":"m","extensions":{"code":"FIELD_LIMIT_EXCEEDED","error_data":{"retry_in_seconds":15}}}]}`),
			chatops.FailRateLimited, "FIELD_LIMIT_EXCEEDED", 15 * time.Second},
		{"older form", mondayReply(200, `{"error_message":"Complexity budget exhausted, query cost 30001 budget remaining 1 out of 100 reset in 21 seconds","error_code":"ComplexityException","status_code":429}`),
			chatops.FailRateLimited, "ComplexityException", 21 * time.Second},
		{"older form, data", mondayReply(429, `{"error_code":"FIELD_LIMIT_EXCEEDED","error_data":{"retry_in_seconds":4},"status_code":429}`),
			chatops.FailRateLimited, "FIELD_LIMIT_EXCEEDED", 4 * time.Second},
		{"header and body", mondayReply(429, extensions("maxConcurrencyExceeded"), "Retry-After", "30"),
			chatops.FailRateLimited, "maxConcurrencyExceeded", 30 * time.Second},
		{"minute by default", mondayReply(429, ``), chatops.FailRateLimited, "http_429", time.Minute},
		{"daily", mondayReply(200, extensions("DAILY_LIMIT_EXCEEDED")), chatops.FailRateLimited, "DAILY_LIMIT_EXCEEDED", time.Hour},
		{"absurd", mondayReply(200, `{"errors":[{"message":"m","extensions":{"code":"RateLimitExceeded","retry_in_seconds":1e99}}]}`),
			chatops.FailRateLimited, "RateLimitExceeded", 24 * time.Hour},
		{"message only", mondayReply(200, `{"errors":[{"message":"Rate Limit Exceeded."}]}`), chatops.FailRateLimited, "error", time.Minute},
		{"string", mondayReply(200, `{"errors":["Not Authenticated"]}`), chatops.FailMisconfigured, "error", 0},
		{"string, 401", mondayReply(401, `{"errors":["Not Authenticated"]}`), chatops.FailMisconfigured, "http_401", 0},
		{"object", mondayReply(200, `{"errors":{"message":"boom"}}`), chatops.FailTransient, "error", 0},
		{"status of its own", mondayReply(200, `{"errors":[{"message":"m","extensions":{"code":"Odd","status_code":403}}]}`), chatops.FailMisconfigured, "Odd", 0},
		{"status as text", mondayReply(200, `{"errors":[{"message":"m","extensions":{"code":"Odd","status_code":"429"}}]}`), chatops.FailRateLimited, "Odd", time.Minute},
		{"unknown code, 400", mondayReply(400, extensions("Odd")), chatops.FailPermanent, "Odd", 0},
		{"code with data", mondayReply(200, extensions("zaneta@x.example")), chatops.FailTransient, "error", 0},
		{"no body, 500", mondayReply(500, `<html>`), chatops.FailTransient, "http_500", 0},
	}
	for _, tt := range tests {
		f := readMonday(tt.reply).failure(noon)
		if f == nil || f.Kind != tt.kind || f.Code != tt.code || f.RetryAfter != tt.wait || f.HTTPStatus != tt.reply.status {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
}

func TestMondayAnswer_OnlyAnIDProvesAnItem(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"data":{"create_item":{"id":"123"}}}`:                            "123",
		`{"data":{"create_item":{"id":123}}}`:                              "123",
		`{"data":{"create_item":{"id":"123"}},"errors":[{"message":"m"}]}`: "123",
		`{"data":{"create_item":{"id":""}}}`:                               "",
		`{"data":{"create_item":{"id":null}}}`:                             "",
		`{"data":{"create_item":{}}}`:                                      "",
		`{"data":{"create_item":null}}`:                                    "",
		`{"data":{"create_item":[]}}`:                                      "",
		`{"data":{}}`:                                                      "",
		`{"data":null}`:                                                    "",
		`{"data":[]}`:                                                      "",
		`{}`:                                                               "",
		`null`:                                                             "",
		`{"data":{"create_item":{"id":"1`:                                  "",
		``:                                                                 "",
	} {
		if got := readMonday(mondayReply(200, body)).created(); got != want {
			t.Errorf("%s: created %q", body, got)
		}
		if readMonday(mondayReply(500, body)).created() != "" {
			t.Errorf("%s with HTTP 500 counts as created", body)
		}
	}
}

var shownText = regexp.MustCompile(`^monday: [A-Za-z0-9_.: -]*$`)

func FuzzMondayAnswer(f *testing.F) {
	for _, seed := range []string{
		extensions("ComplexityException"), `{"data":{"create_item":{"id":"1"}}}`, `{"errors":["x"]}`, `{"errors":[]}`,
		`{"error_code":"E","error_message":"reset in 99999999999999999999 seconds"}`, `null`, `[`, `{"errors":[null]}`,
	} {
		f.Add(200, seed)
		f.Add(429, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		answer := readMonday(mondayReply(status, body))
		answer.cannotSearch()
		if id, found, ok := answer.found(); found && !ok || id != "" && !found {
			t.Fatal("found without an answer")
		}
		e := answer.failure(noon)
		switch {
		case e == nil:
			return
		case !shownText.MatchString(e.Error()) || e.Code == "":
			t.Fatalf("%q shows %q (%q)", body, e, e.Code)
		case e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter:
			t.Fatalf("retry after %v", e.RetryAfter)
		}
	})
}
