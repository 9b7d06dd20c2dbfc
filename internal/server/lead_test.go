package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestCreateLead_AnswersWithTheLead(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	for _, path := range []string{"/api/leads/", "/api/leads"} {
		r := f.do(t, "POST", path, `{"name":"  Zofia Łącka-Żak ","email":" Zofia@Firma.PL ","phone":"+48 600 700 800","message":"Dzień dobry,\nproszę o wycenę","extra":1}`)
		if r.StatusCode != http.StatusCreated || r.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s: status %d: %s", path, r.StatusCode, r.Body)
		}
		got := r.decode(t)
		delete(got, "id")
		delete(got, "created_at")
		want := map[string]any{
			"name": "Zofia Łącka-Żak", "email": "Zofia@Firma.PL", "phone": "+48 600 700 800",
			"message": "Dzień dobry,\nproszę o wycenę", "status": "new", "monday_item_id": nil,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: lead %v, want %v", path, got, want)
		}
	}
	if n := len(f.leads.list); n != 2 {
		t.Errorf("%d leads are stored", n)
	}
	if r := f.postLead(t, `{"name":"J","email":"j@x.pl","phone":null,"message":""}`).decode(t); r["phone"] != nil || r["message"] != nil {
		t.Errorf("empty fields: %v", r)
	}
}

func TestCreateLead_HandsOnWhatWasTicked(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	const who = `{"name":"J","email":"j@x.pl"`
	for body, want := range map[string]string{
		who + `}`: "  0 0", who + `,"consent":null}`: "  0 0", who + `,"consent":{}}`: "  0 0",
		who + `,"consent":true}`: "  0 0", who + `,"consent":"yes"}`: "  0 0", // an older form's own
		who + `,"consent":{"marketing":true,"marketing_text":7,"rodo":false}}`: "true false 7 0",
	} {
		if r := f.postLead(t, body); r.StatusCode != http.StatusCreated {
			t.Fatalf("%s: status %d: %s", body, r.StatusCode, r.Body)
		}
		c := f.leads.consents[len(f.leads.consents)-1]
		if got := fmt.Sprint(said(c.Marketing), " ", said(c.RODO), " ", c.MarketingText, " ", c.RODOText); got != want || c.Locale != "pl" || c.Origin.IPAddress != "192.0.2.1" {
			t.Errorf("%s: %q, want %q; %+v", body, got, want, c)
		}
	}
	for _, bad := range []string{`{"marketing":"yes"}`, `{"rodo":1}`, `{"marketing_text":"x"}`} {
		if r := f.postLead(t, who+`,"consent":`+bad+`}`); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Body, "Invalid consent") {
			t.Errorf("%s: status %d: %s", bad, r.StatusCode, r.Body)
		}
	}
}

func TestCreateLead_NamesTheFirstFieldThatWillNotDo(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	long := func(n int) string { return strings.Repeat("ż", n) }
	for body, want := range map[string]string{
		``: errNotObject, `[]`: errNotObject, `"x"`: errNotObject, `null`: errNotObject, `{"name":`: errNotObject,
		`{}`:                                                                       "Missing required field: name",
		`{"name":null,"email":5}`:                                                  "Missing required field: name",
		`{"email":"jan@x.pl"}`:                                                     "Missing required field: name",
		`{"name":""}`:                                                              "Missing required field: email",
		`{"name":5,"email":null}`:                                                  "Missing required field: email",
		`{"name":"","email":"x"}`:                                                  "Invalid name",
		`{"name":" \u00a0 ","email":"j@x.pl"}`:                                     "Invalid name",
		`{"name":5,"email":"j@x.pl"}`:                                              "Invalid name",
		`{"name":["Jan"],"email":"j@x.pl"}`:                                        "Invalid name",
		`{"name":{},"email":"j@x.pl"}`:                                             "Invalid name",
		`{"name":true,"email":"j@x.pl"}`:                                           "Invalid name",
		`{"name":"a\u0000b","email":"j@x.pl"}`:                                     "Invalid name",
		`{"name":"a\r\nBcc: x","email":"j@x.p"}`:                                   "Invalid name",
		`{"name":"a\u2028b","email":"j@x.pl"}`:                                     "Invalid name",
		`{"name":"a\u202eb","email":"j@x.pl"}`:                                     "Invalid name",
		`{"name":"\ud800","email":"j@x.pl"}`:                                       "Invalid name",
		"{\"name\":\"\xff\",\"email\":\"j@x.pl\"}":                                 "Invalid name",
		`{"name":"` + long(101) + `","email":"x"}`:                                 "Invalid name",
		`{"name":"J","email":""}`:                                                  "Invalid email",
		`{"name":"J","email":5}`:                                                   "Invalid email",
		`{"name":"J","email":["j@x.pl"]}`:                                          "Invalid email",
		`{"name":"J","email":"jan"}`:                                               "Invalid email",
		`{"name":"J","email":"j@x.pl\r\nBcc: a@b.pl"}`:                             "Invalid email",
		`{"name":"J","email":"` + long(250) + `@x.pl"}`:                            "", // 255 characters
		`{"name":"J","email":"` + long(251) + `@x.pl"}`:                            "Invalid email",
		`{"name":"J","email":"` + long(10_000) + `@x.pl"}`:                         "Invalid email",
		`{"name":"J","email":"j@x.pl","phone":600700800}`:                          "Invalid phone",
		`{"name":"J","email":"j@x.pl","phone":"` + long(21) + `"}`:                 "Invalid phone",
		`{"name":"J","email":"j@x.pl","phone":"1\n2"}`:                             "Invalid phone",
		`{"name":"J","email":"j@x.pl","phone":5,"message":5}`:                      "Invalid phone",
		`{"name":"J","email":"j@x.pl","message":["x"]}`:                            "Invalid message",
		`{"name":"J","email":"j@x.pl","message":"` + long(5001) + `"}`:             "Invalid message",
		`{"name":"J","email":"j@x.pl","message":"` + long(5000) + `"}`:             "",
		`{"name":"` + long(100) + `","email":"j@x.pl","phone":"` + long(20) + `"}`: "",
		`{"name":"O'Brien, 50%_\"\\<b>","email":"j@x.pl"}`:                         "",
		`{"name":"a","name":"b","email":"j@x.pl"}`:                                 "request body: repeated name at byte 12",
	} {
		r := f.postLead(t, body)
		if want == "" {
			if r.StatusCode != http.StatusCreated {
				t.Errorf("%.80q: status %d: %s", body, r.StatusCode, r.Body)
			}
			continue
		}
		if got := r.wantProblem(t, http.StatusBadRequest); got != want {
			t.Errorf("%.80q: error %q, want %q", body, got, want)
		}
	}
	if r := f.postLead(t, `{"name":"J","email":"j@x.pl","message":"a\u0000b"}`).decode(t); r["message"] != "a\ufffdb" {
		t.Errorf("free text is not mended: %v", r)
	}
}

func TestLeads_NeedTheKey(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.add(chatops.Lead{Name: "Jan", Email: "jan@x.pl"})
	closed := newFull(t, func(o *Options) { o.AdminKeys = []string{"", ""} })
	for _, c := range leadCalls() {
		if c.id == "lead-create" {
			continue
		}
		for _, header := range [][]string{
			nil, {"Authorization", "Bearer " + testKey + "x"}, {"Authorization", testKey}, {"Authorization", "Basic " + testKey},
			{"X-API-KEY", ""}, {"X-ADMIN-API-KEY", "klucz"}, {"Authorization", "Bearer "}, {"Cookie", "X-API-KEY=" + testKey},
		} {
			r := f.do(t, c.method, c.path, c.body, header...)
			if got := r.wantProblem(t, http.StatusUnauthorized); got != "Unauthorized" {
				t.Errorf("%s: error %q", c.path, got)
			}
			if r.Header.Get("WWW-Authenticate") != `Bearer realm="chatops"` || strings.Contains(r.Body, "jan@x.pl") {
				t.Errorf("%s: %v %s", c.path, r.Header, r.Body)
			}
			other := closed.do(t, c.method, c.path, c.body, header...)
			if a, b := r.decode(t), other.decode(t); a["detail"] != b["detail"] || other.StatusCode != http.StatusUnauthorized {
				t.Errorf("a server without a key answers %d %v, one with a key %v", other.StatusCode, b, a)
			}
		}
		if r := closed.do(t, c.method, c.path, c.body, "X-API-KEY", testKey); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a configured key: status %d", c.path, r.StatusCode)
		}
	}
	for _, header := range [][]string{
		{"Authorization", "Bearer " + testKey}, {"Authorization", "bearer  " + testKey}, {"X-ADMIN-API-KEY", testKey},
		{"X-API-KEY", testKey}, {"Authorization", "Basic eDp5", "X-API-KEY", testKey},
	} {
		if r := f.do(t, "GET", "/api/leads/1", "", header...); r.StatusCode != http.StatusOK {
			t.Errorf("%v: status %d", header, r.StatusCode)
		}
	}
}

func TestLead_IDsThatNobodyHasGiveOneAnswer(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.add(chatops.Lead{Name: "Jan"})
	for _, id := range []string{"0", "-1", "2", "99", "9223372036854775807", "9223372036854775808", "1e0", "1.0", "+1", "01", "x", "1%20", "%31x", "١"} {
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/api/leads/" + id, ""}, {"PUT", "/api/leads/" + id, `{"name":"J"}`}, {"PATCH", "/api/leads/" + id + "/status", `{"status":"lost"}`},
		} {
			if got := f.admin(t, c.method, c.path, c.body).wantProblem(t, http.StatusNotFound); got != "Lead not found" {
				t.Errorf("%s %s: error %q", c.method, c.path, got)
			}
		}
	}
}

func TestUpdateLead_ChangesWhatIsSentAndChecksIt(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.add(chatops.Lead{Name: "Jan", Email: "jan@x.pl", Phone: "1", Message: "m", MondayItemID: "7"})
	want := map[string]any{
		"id": 1.0, "name": "Jan Nowak", "email": "jan@x.pl", "phone": nil, "message": "n", "status": "qualified",
		"monday_item_id": "7", "created_at": "2026-03-01T12:30:15.25Z",
	}
	if got := f.admin(t, "PUT", "/api/leads/1", `{"name":" Jan Nowak ","phone":null,"message":"n","status":"qualified","id":5}`).decode(t); !reflect.DeepEqual(got, want) {
		t.Errorf("lead %v, want %v", got, want)
	}
	if got := f.admin(t, "PUT", "/api/leads/1", `{}`).decode(t); !reflect.DeepEqual(got, want) {
		t.Errorf("an empty change gives %v", got)
	}
	for body, want := range map[string]string{
		``: errNotObject, `[]`: errNotObject, `{"name":null}`: "Invalid name", `{"name":"a\nb"}`: "Invalid name", `{"email":null}`: "Invalid email",
		`{"email":"x"}`: "Invalid email", `{"phone":5}`: "Invalid phone", `{"message":{}}`: "Invalid message",
		`{"status":null}`:  "Invalid status. Must be one of: new, contacted, qualified, converted, lost",
		`{"status":"won"}`: "Invalid status. Must be one of: new, contacted, qualified, converted, lost",
		`{"status":5}`:     "Invalid status. Must be one of: new, contacted, qualified, converted, lost",
	} {
		if got := f.admin(t, "PUT", "/api/leads/1", body+strings.Repeat(" ", 1)).wantProblem(t, http.StatusBadRequest); got != want {
			t.Errorf("%s: error %q, want %q", body, got, want)
		}
	}
}

func TestPatchStatus_TellsOldAndNew(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.add(chatops.Lead{Name: "Jan"}, chatops.Lead{Name: "Ewa", MondayItemID: "7", Status: chatops.LeadLost})
	for path, want := range map[string]map[string]any{
		"/api/leads/1/status": {"id": 1.0, "old_status": "new", "new_status": "contacted", "monday_synced": false},
		"/api/leads/2/status": {"id": 2.0, "old_status": "lost", "new_status": "contacted", "monday_synced": true},
	} {
		if got := f.admin(t, "PATCH", path, `{"status":"contacted"}`).decode(t); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	for _, body := range []string{`{}`, `{"status":""}`, `{"status":"New"}`, `{"status":["new"]}`, `[]`, ` `} {
		if got := f.admin(t, "PATCH", "/api/leads/1/status", body).wantProblem(t, http.StatusBadRequest); !strings.HasPrefix(got, errBadStatus) {
			t.Errorf("%s: error %q", body, got)
		}
	}
}

func TestBulkUpdate_ChangesWhatExistsAndNamesTheRest(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.add(chatops.Lead{Name: "Jan"}, chatops.Lead{Name: "Ewa"})
	const path = "/api/leads/bulk-update"
	for body, want := range map[string]map[string]any{
		`{"lead_ids":[1,2,1],"status":"lost"}`:                   {"success": true, "updated": 2.0, "errors": nil},
		`{"lead_ids":[ 2 , 9 ],"status":"new"}`:                  {"success": true, "updated": 1.0, "errors": []any{"Lead 9 not found"}},
		`{"lead_ids":[0,-1,9223372036854775808],"status":"new"}`: {"success": true, "updated": 0.0, "errors": []any{"No lead has such a number"}},
	} {
		if got := f.admin(t, "POST", path, body).decode(t); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
	many := "[" + strings.Repeat("1,", 1000) + "2]"
	ids, err := json.Marshal(numbers(1001))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		``: errNoBulk, `{}`: errNoBulk, `{"lead_ids":[1]}`: errNoBulk, `{"status":"new"}`: errNoBulk, `{"lead_ids":[],"status":"new"}`: errNoBulk,
		`{"lead_ids":null,"status":"new"}`: errNoBulk, `{"lead_ids":[1],"status":null}`: errNoBulk,
		`{"lead_ids":"1","status":"new"}`: errLeadIDs.Error(), `{"lead_ids":1,"status":"new"}`: errLeadIDs.Error(),
		`{"lead_ids":["1"],"status":"new"}`: errLeadIDs.Error(), `{"lead_ids":[1.5],"status":"new"}`: errLeadIDs.Error(),
		`{"lead_ids":[[1]],"status":"new"}`: errLeadIDs.Error(), `{"lead_ids":[null],"status":"new"}`: errLeadIDs.Error(),
		`{"lead_ids":{"1":1},"status":"new"}`:             errLeadIDs.Error(),
		`{"lead_ids":` + string(ids) + `,"status":"new"}`: errLeadIDs.Error(),
		`{"lead_ids":[1],"status":"gone"}`:                badStatus().Error(),
	} {
		if got := f.admin(t, "POST", path, body+" ").wantProblem(t, http.StatusBadRequest); got != want {
			t.Errorf("%.60s: error %q, want %q", body, got, want)
		}
	}
	if r := f.admin(t, "POST", path, `{"lead_ids":`+many+`,"status":"new"}`); r.StatusCode != http.StatusOK {
		t.Errorf("two leads, one of them a thousand times: status %d", r.StatusCode)
	}
}

func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i + 1
	}
	return list
}

func FuzzDecodeLead(f *testing.F) {
	for _, seed := range []string{
		`{"name":"Jan","email":"jan@x.pl","phone":"1","message":"m"}`, `{"name":"\u0000","email":"a@ż.pl"}`, `{"lead_ids":[1,2],"status":"new"}`,
		`{"name":5}`, `{"email":"＠"}`, `{"status":null,"phone":null}`, `[`, `{"lead_ids":[1e3]}`, `{"lead_ids":"]["}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		l, _, err := decodeLead(body)
		if err == nil {
			wantSaneLead(t, l.Name, l.Email, l.Phone, l.Message)
		}
		c, changeErr := decodeLeadChange(body)
		if changeErr == nil {
			for _, p := range []*string{c.Name, c.Phone, c.Message} {
				if p != nil && strings.ContainsRune(*p, 0) {
					t.Fatalf("%q: a NUL is let in", body)
				}
			}
		}
		ids, _, bulkErr := decodeBulk(body)
		if bulkErr == nil && (len(ids) == 0 || len(ids) > maxBulk) {
			t.Fatalf("%q: %d ids", body, len(ids))
		}
		for _, err := range []error{err, changeErr, bulkErr} {
			if p := problemOf(err, "r"); err != nil && (p.Status != 400 || p.Message == "" || p.Detail == "") {
				t.Fatalf("%q: %+v", body, p)
			}
		}
	})
}

// wantSaneLead checks what a store and a mail program rely on.
func wantSaneLead(tb rapid.TB, name, email, phone, message string) {
	tb.Helper()
	if !isLine(name, 1, maxLeadName) || strings.TrimSpace(name) != name || !isLine(phone, 0, maxLeadPhone) {
		tb.Fatalf("name %q, phone %q", name, phone)
	}
	if _, ok := parseEmail(email); !ok || strings.ContainsAny(name+email+phone, "\r\n\x00") || strings.ContainsRune(message, 0) {
		tb.Fatalf("email %q, message %q", email, message)
	}
}

func TestDecodeLead_TakesWhatAFormCanHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{
			"name":    rapid.StringMatching(`[A-ZŁŻ][a-ząęłń' -]{0,60}[a-zż]`).Draw(t, "name"),
			"email":   rapid.StringMatching(`[a-z][a-z0-9+_-]{0,30}@[a-z][a-z0-9]{0,20}\.(pl|com)`).Draw(t, "email"),
			"phone":   rapid.StringMatching(`[+0-9][0-9]{0,18}`).Draw(t, "phone"),
			"message": strings.ReplaceAll(rapid.StringN(0, 300, -1).Draw(t, "message"), "\x00", ""),
		}
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		l, _, err := decodeLead(body)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		got := map[string]any{"name": l.Name, "email": l.Email, "phone": l.Phone, "message": l.Message}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s became %v", body, got)
		}
	})
}
