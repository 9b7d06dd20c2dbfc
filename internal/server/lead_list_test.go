package server

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestAllLeads_ComeNewestFirstAsOneArray(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	if got := f.admin(t, "GET", "/api/leads/", "").Body; got != "[]\n" {
		t.Errorf("no leads: %q", got)
	}
	f.leads.add(chatops.Lead{Name: "Jan <1>"}, chatops.Lead{Name: "Ewa"}, chatops.Lead{Name: "Ola"})
	for _, path := range []string{"/api/leads/", "/api/leads"} {
		r := f.admin(t, "GET", path, "")
		var list []leadJSON
		if err := json.Unmarshal([]byte(r.Body), &list); err != nil {
			t.Fatalf("%s: %v", r.Body, err)
		}
		names := make([]string, len(list))
		for i, l := range list {
			names[i] = l.Name
		}
		if !slices.Equal(names, []string{"Ola", "Ewa", "Jan <1>"}) || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v, type %q", path, names, r.Header.Get("Content-Type"))
		}
	}
}

func TestFilter_PassesOnWhatIsAsked(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for query, want := range map[string]chatops.LeadFilter{
		"":                                      {},
		"status=&package=&sort_by=&start_date=": {},
		"status=lost&package=Comfort%25&sort_by=lead_score&sort_order=ASC": {
			Status: chatops.LeadLost, Package: "Comfort%", Sort: chatops.SortLeadScore, Ascending: true,
		},
		"start_date=2026-03-01&end_date=2026-03-01":                    {Since: day, Until: day.AddDate(0, 0, 1)},
		"start_date=2026-03-01T02:00:00%2B02:00":                       {Since: day},
		"start_date=2026-03-01T00:00&end_date=2026-03-01T00:00:00.5":   {Since: day, Until: day.Add(500*time.Millisecond + time.Microsecond)},
		"start_date=2026-03-01+00:00:00&end_date=2026-03-01T00:00:00Z": {Since: day, Until: day.Add(time.Microsecond)},
		"package=a%00b": {Package: "a\ufffdb"},
	} {
		if r := f.admin(t, "GET", "/api/leads/filter?"+query, ""); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d: %s", query, r.StatusCode, r.Body)
			continue
		}
		if got := f.leads.filters[len(f.leads.filters)-1]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: filter %+v, want %+v", query, got, want)
		}
	}
	for query, named := range map[string]string{
		"status=won": "status", "sort_by=password": "sort_by", "sort_order=up": "sort_order", "start_date=yesterday": "start_date",
		"end_date=2026-02-30": "end_date", "start_date=0000-01-01": "start_date", "page=0": "page", "page=-1": "page", "page=x": "page",
		"page=1000001": "page", "per_page=0": "per_page", "per_page=1.5": "per_page", "page=99999999999999999999": "page",
	} {
		if got := f.admin(t, "GET", "/api/leads/filter?"+query, "").wantProblem(t, http.StatusBadRequest); !strings.Contains(got, named) {
			t.Errorf("%s: error %q", query, got)
		}
	}
}

func TestFilter_CountsItsPages(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	for range 7 {
		f.leads.add(chatops.Lead{Name: "Jan"})
	}
	for _, tc := range []struct {
		query                              string
		leads, page, perPage, total, pages float64
	}{
		{"", 7, 1, 50, 7, 1},
		{"per_page=3", 3, 1, 3, 7, 3},
		{"per_page=3&page=3", 1, 3, 3, 7, 3},
		{"per_page=3&page=9", 0, 9, 3, 7, 3},
		{"per_page=7", 7, 1, 7, 7, 1},
		{"per_page=5000", 7, 1, 1000, 7, 1},
		{"status=lost", 0, 1, 50, 0, 0},
	} {
		got := f.admin(t, "GET", "/api/leads/filter?"+tc.query, "").decode(t)
		want := map[string]any{"page": tc.page, "per_page": tc.perPage, "total": tc.total, "pages": tc.pages}
		if n := len(got["leads"].([]any)); n != int(tc.leads) || !reflect.DeepEqual(got["pagination"], want) {
			t.Errorf("%q: %d leads, %v; want %v, %v", tc.query, n, got["pagination"], tc.leads, want)
		}
	}
}

func TestExport_IsTheFileThatClientsKnow(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.add(
		chatops.Lead{Name: "Zofia Łącka", Email: "zofia@x.pl", Phone: "600700800", Message: "a,b \"c\"\nd", MondayItemID: "77"},
		chatops.Lead{Name: "=HYPERLINK(\"http://evil.example\")", Email: "+x@x.pl", Phone: "+48600700800", Message: "-1", Status: chatops.LeadLost},
	)
	r := f.admin(t, "GET", "/api/leads/export", "")
	if got := r.Header.Get("Content-Disposition"); got != `attachment; filename="leads_20260301_123015.csv"` {
		t.Errorf("Content-Disposition %q", got)
	}
	want := "ID,Data,Imię,Email,Telefon,Wiadomość,Status,Monday.com ID\r\n" +
		"2,2026-03-01 12:31:15,\"'=HYPERLINK(\"\"http://evil.example\"\")\",'+x@x.pl,'+48600700800,'-1,lost,\r\n" +
		"1,2026-03-01 12:30:15,Zofia Łącka,zofia@x.pl,600700800,\"a,b \"\"c\"\"\r\nd\",new,77\r\n"
	if r.Body != want {
		t.Errorf("file:\n%q\nwant:\n%q", r.Body, want)
	}
	r = f.admin(t, "GET", "/api/leads/export?excel=1&status=lost", "")
	if want := "\ufeffID;Data;Imię;Email"; !strings.HasPrefix(r.Body, want) || strings.Contains(r.Body, "Łącka") {
		t.Errorf("for Excel: %q", r.Body)
	}
	f.leads.list = nil
	if got := f.admin(t, "GET", "/api/leads/export?excel=0", "").Body; got != "ID,Data,Imię,Email,Telefon,Wiadomość,Status,Monday.com ID\r\n" {
		t.Errorf("no leads: %q", got)
	}
}

func TestExport_IsReadBackAndHoldsNoFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("=+-@\t,;\"'＝")))).Draw(t, "text")
		text = strings.ReplaceAll(text, "\r", "") // csv.Reader takes CR LF for LF
		s := New(Options{Chat: &fakeChat{}, Leads: &fakeLeads{list: []chatops.Lead{{ID: 1, Name: text}}}})
		for _, excel := range []bool{false, true} {
			var out bytes.Buffer
			if err := s.writeCSV(t.Context(), &out, chatops.LeadFilter{}, excel); err != nil {
				t.Fatal(err)
			}
			in := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff")))
			if excel {
				in.Comma = ';'
			}
			rows, err := in.ReadAll()
			if err != nil || len(rows) != 2 {
				t.Fatalf("%q: %d rows, %v", out.String(), len(rows), err)
			}
			cell := rows[1][2]
			if cell != text && cell != "'"+text {
				t.Fatalf("%q became %q", text, cell)
			}
			if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
				t.Fatalf("cell %q may be a formula", cell)
			}
		}
	})
}

func TestStream_TroubleBeforeTheFirstByteIsAProblem(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/leads/", "/api/leads/export"} {
		f := newFull(t, nil)
		f.leads.add(chatops.Lead{Name: "Jan"})
		f.leads.visitErr = chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
		r := f.admin(t, "GET", path, "")
		r.wantProblem(t, http.StatusServiceUnavailable)
		if r.Header.Get("Content-Disposition") != "" || r.Header.Get("Retry-After") != "5" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
}

func TestStream_TroubleLaterBreaksTheConnectionOff(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	for range 50 {
		f.leads.add(chatops.Lead{Name: "Jan", Message: strings.Repeat("x", 1000)})
	}
	f.leads.visitErr, f.leads.visitAfter = errors.New("cursor lost"), 45
	srv := httptest.NewServer(f)
	defer srv.Close()
	for _, path := range []string{"/api/leads/", "/api/leads/export"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Api-Key", testKey)
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) < streamBuffer {
			t.Errorf("%s: %d bytes, %v; the client must notice that they are not all", path, len(body), err)
		}
	}
	if logs := f.logs.String(); !strings.Contains(logs, "cursor lost") {
		t.Errorf("logs: %s", logs)
	}
}

func TestStream_HEADReadsNoLeads(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.visitErr = errors.New("must not be read")
	f.leads.add(chatops.Lead{Name: "Jan"})
	if r := f.admin(t, "HEAD", "/api/leads/export", ""); r.StatusCode != http.StatusOK || r.Body != "" || r.Header.Get("Content-Type") != csvType {
		t.Errorf("status %d, %q", r.StatusCode, r.Body)
	}
}

// countWriter is a client that only counts, and notes the largest part.
type countWriter struct {
	discardWriter
	bytes, largest int
}

func (w *countWriter) Write(p []byte) (int, error) {
	w.bytes += len(p)
	w.largest = max(w.largest, len(p))
	return len(p), nil
}

func TestStream_SendsPartsOfBoundedSize(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	for i := range 2000 {
		f.leads.add(chatops.Lead{Name: fmt.Sprint("Jan ", i), Message: strings.Repeat("ż", 500)})
	}
	w := &countWriter{discardWriter: discardWriter{http.Header{}}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/leads/", http.NoBody)
	r.Header.Set("X-Api-Key", testKey)
	f.ServeHTTP(w, r)
	if w.bytes < 2_000_000 || w.largest > streamBuffer {
		t.Errorf("%d bytes in parts of up to %d", w.bytes, w.largest)
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{"status=new", "start_date=2026-03-01&end_date=x", "page=2&per_page=7", "package=%00", "sort_by=name;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values := (&url.URL{RawQuery: query}).Query()
		filter, err := parseFilter(values)
		if err == nil && (filter.Status != "" && !filter.Status.Valid() || strings.ContainsRune(filter.Package, 0)) {
			t.Fatalf("%q: filter %+v", query, filter)
		}
		page, perPage, pageErr := parsePage(values)
		if pageErr == nil && (page < 1 || perPage < 1 || perPage > maxPerPage || page*perPage < 1) {
			t.Fatalf("%q: page %d of %d", query, page, perPage)
		}
		for _, err := range []error{err, pageErr} {
			if err != nil && chatops.ErrorCode(err) != chatops.CodeInvalid {
				t.Fatalf("%q: %v", query, err)
			}
		}
	})
}
