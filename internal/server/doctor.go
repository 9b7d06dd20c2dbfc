package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// An examination reads much of the database: any number of requests costs one in
// this time, and one at a time. It is over before its request is.
const (
	doctorMaxAge  = 10 * time.Second
	doctorTimeout = 30 * time.Second
)

// Examination is what the doctor found, in the form of `chatops doctor -o json`.
type Examination struct {
	At     time.Time  `json:"at"`
	State  string     `json:"state" enum:"skipped,ok,warning,unknown,problem" doc:"The worst of all"`
	Checks []Examined `json:"checks" nullable:"false"`

	// Unreachable says that the database does not answer.
	Unreachable bool `json:"-"`
}

// Examined is one check of the doctor.
type Examined struct {
	Name     string    `json:"name"`
	State    string    `json:"state" enum:"skipped,ok,warning,unknown,problem" doc:"ok and skipped need nobody; unknown could not be found out"`
	Text     string    `json:"text" doc:"The findings in a line, or what was seen where there are none"`
	Findings []Finding `json:"findings" nullable:"false"`
	TookMS   float64   `json:"took_ms"`
}

// Finding is one thing that is not as it should be.
type Finding struct {
	State   string `json:"state" enum:"warning,problem"`
	Text    string `json:"text"`
	Cause   string `json:"cause" doc:"Empty where it is not known"`
	Command string `json:"command" doc:"What repairs it, as it is typed"`
}

type doctorOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       *Examination
}

func (s *Server) addDoctor() {
	s.diagnosed = newVerdict(s.opts.Now, doctorMaxAge, s.opts.Health.DoctorFunc)
	s.diagnosed.timeout = doctorTimeout
	op := healthOperation[Examination](s.api, huma.Operation{
		OperationID: "doctor", Method: http.MethodGet, Path: "/api/doctor",
		Summary: "Every known symptom, its cause and what repairs it",
		Description: "What chatops doctor -o json prints, as this replica sees it. As with deep health, 503 says that the " +
			"database cannot be reached, and other trouble is a state with status 200. Looks at most every ten seconds.",
		Security: adminSecurity, Errors: []int{http.StatusUnauthorized},
	})
	op.Responses["503"].Description = "The database does not answer"
	addOperation(s, op, s.diagnose)
}

func (s *Server) diagnose(ctx context.Context, _ *struct{}) (*doctorOutput, error) {
	e := s.diagnosed.get(ctx)
	out := &doctorOutput{Status: http.StatusOK, Body: e}
	if e.Unreachable {
		out.Status, out.RetryAfter = http.StatusServiceUnavailable, retryAfter[0]
	}
	return out, nil
}
