package chatops

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// OperationPace is how fast a retry releases its alerts.
type OperationPace struct {
	Rate   float64 `json:"rate"`   // alerts a second at most; 0: as the receiver can take them
	Canary int     `json:"canary"` // so many go first, and alone
	// MaxFailures is the share of a window's attempts that may fail, 0 to 1.
	MaxFailures float64 `json:"max_failures"`
}

// DefaultMaxFailures is the share unless an operator says otherwise.
const DefaultMaxFailures = 0.2

const (
	maxRate   = 20_000 // alerts a second, and what the ramp ends with where no rate is given
	maxCanary = 1000
	// rampGrowth is how much faster the next step of the ramp is, past the named ones.
	rampGrowth = 4
	// waitingFor bounds what is released and not tried: so many seconds' worth.
	waitingFor = 3
	// earlySample is how many attempts suffice to judge a window before its end.
	earlySample = 20
	// leastSample is how many a window must have: one failure says little.
	leastSample = 5
)

// PaceWindow is how long a window is, whose outcomes decide about the next step.
const PaceWindow = 5 * time.Second

var rampSteps = []float64{5, 25, 100}

// Validate reports a value out of range, as CodeInvalid.
func (p *OperationPace) Validate() error {
	switch {
	case math.IsNaN(p.Rate) || p.Rate < 0 || p.Rate > maxRate || p.Rate > 0 && p.Rate < 0.01:
		return Errorf(CodeInvalid, "rate %v: must be 0.01 to %d alerts a second", p.Rate, maxRate)
	case p.Canary < 0 || p.Canary > maxCanary:
		return Errorf(CodeInvalid, "canary %d: must be 0 to %d alerts", p.Canary, maxCanary)
	case math.IsNaN(p.MaxFailures) || p.MaxFailures < 0 || p.MaxFailures > 1:
		return Errorf(CodeInvalid, "max failures %v: must be 0 to 100 %%", p.MaxFailures*100)
	}
	return nil
}

func (p *OperationPace) ceiling() float64 {
	if p.Rate == 0 {
		return maxRate
	}
	return p.Rate
}

// first is the rate that a ramp begins with, and next the one after a rate.
func (p *OperationPace) first() float64 { return min(rampSteps[0], p.ceiling()) }

func (p *OperationPace) next(rate float64) float64 {
	for _, step := range rampSteps {
		if step > rate {
			return min(step, p.ceiling())
		}
	}
	return min(rate*rampGrowth, p.ceiling())
}

// ETA estimates how long the rest takes with windows of the given length: from a
// rate on, or from the canary where that is 0, if nothing fails and the receiver
// keeps up.
func (p *OperationPace) ETA(left int64, rate float64, window time.Duration) time.Duration {
	remaining, spent := float64(left), 0.0
	if rate == 0 {
		remaining -= float64(p.Canary)
		rate = p.first()
	}
	for rate = min(rate, p.ceiling()); rate < p.ceiling() && remaining > rate*window.Seconds(); rate = p.next(rate) {
		remaining -= rate * window.Seconds()
		spent += window.Seconds()
	}
	spent += max(0, remaining) / rate
	return time.Duration(min(spent, math.MaxInt64/2e9) * float64(time.Second))
}

// OperationRun is what is remembered of a paced operation between its steps, by
// whoever carries it next.
type OperationRun struct {
	// Rate is that of the present step of the ramp; 0: the canary's outcome is
	// not known yet.
	Rate float64 `json:"rate,omitempty"`
	// Base is how many alerts had been released before the canary.
	Base  int64  `json:"base,omitempty"`
	Waits string `json:"waits,omitempty"` // why nothing is released at present
	// Integrations are those that its alerts have been seen to go to.
	Integrations []string `json:"integrations,omitempty"`
}

// Again begins anew after a halt: with the canary.
func (r *OperationRun) Again(released int64) {
	*r = OperationRun{Base: released, Integrations: r.Integrations}
}

// Rest begins the ramp anew after a pause; the canary is not repeated.
func (r *OperationRun) Rest() {
	r.Rate, r.Waits = min(r.Rate, rampSteps[0]), ""
}

// Pacer is the rule by which a paced operation releases its alerts. It knows no
// clock and no store: Next is told what time it is and what became of the alerts.
type Pacer struct {
	Pace   OperationPace
	Run    OperationRun
	Window time.Duration

	begun         bool
	last          time.Time // of the last Next
	credit        float64   // alerts that may be released
	since         time.Time // of the present window
	tried, failed int64     // at its beginning
	canaryFailed  int64     // failures before the canary
	canaryTried   bool      // the canary's failures are counted from canaryFailed
}

// PaceStep is what to do now.
type PaceStep struct {
	Release int    // so many alerts
	Halt    string // why to halt; "": go on
}

// Next decides. Open names integrations whose circuit breakers are open.
func (p *Pacer) Next(now time.Time, o *OperationOutcomes, open []string) PaceStep {
	if !p.begun || now.Before(p.last) {
		p.begin(now, o)
	}
	elapsed := min(now.Sub(p.last), p.Window)
	p.last = now
	for _, lane := range o.Lanes {
		if name := Integration(lane); !slices.Contains(p.Run.Integrations, name) {
			p.Run.Integrations = append(p.Run.Integrations, name)
		}
	}
	if p.Run.Rate == 0 {
		return p.canary(now, o, open)
	}
	if halt := p.judge(now, o); halt != "" {
		return PaceStep{Halt: halt}
	}
	if p.waitsFor(open) {
		p.Run.Rate = p.Pace.first()
		p.window(now, o)
		p.credit = 0
		return PaceStep{}
	}
	rate := min(p.Run.Rate, p.Pace.ceiling())
	p.credit = min(p.credit+rate*elapsed.Seconds(), max(1, rate))
	n := min(int64(p.credit), outstanding(rate)-o.Waiting)
	if n <= 0 {
		if o.Waiting >= outstanding(rate) {
			p.Run.Waits = "the receiver takes its time: " + waiting(o.Waiting) + " released and not tried yet"
		}
		return PaceStep{}
	}
	p.credit -= float64(n)
	p.Run.Waits = ""
	return PaceStep{Release: int(n)}
}

// outstanding is how many alerts may be released and not tried at a rate.
func outstanding(rate float64) int64 { return int64(max(1, math.Ceil(rate*waitingFor))) }

func waiting(n int64) string {
	if n == 1 {
		return "1 alert is"
	}
	return fmt.Sprintf("%d alerts are", n)
}

func (p *Pacer) begin(now time.Time, o *OperationOutcomes) {
	p.begun, p.last = true, now
	if p.Run.Rate == 0 && p.Pace.Canary == 0 {
		p.Run.Rate = p.Pace.first()
	}
	p.window(now, o)
}

func (p *Pacer) window(now time.Time, o *OperationOutcomes) {
	p.since, p.tried, p.failed = now, o.Tried(), o.Failed
}

// waitsFor reports whether an integration of the operation is cut off.
func (p *Pacer) waitsFor(open []string) bool {
	for _, name := range p.Run.Integrations {
		if slices.Contains(open, name) {
			p.Run.Waits = "the circuit breaker of " + name + " is open"
			return true
		}
	}
	return false
}

// canary releases the first few and waits until each of them has been tried.
func (p *Pacer) canary(now time.Time, o *OperationOutcomes, open []string) PaceStep {
	if !p.canaryTried {
		// Another process may have released it: then the failures before are not
		// known, and all of them count.
		p.canaryTried = true
		if o.Released <= p.Run.Base {
			p.canaryFailed = o.Failed
		}
	}
	failed := max(0, o.Failed-p.canaryFailed)
	missing := int64(p.Pace.Canary) - (o.Released - p.Run.Base)
	switch {
	case failed > 0 && float64(failed) > p.Pace.MaxFailures*float64(p.Pace.Canary):
		return PaceStep{Halt: fmt.Sprintf("the canary failed: %d of %d", failed, p.Pace.Canary)}
	case missing > 0 && p.waitsFor(open):
		return PaceStep{}
	case missing > 0:
		p.Run.Waits = ""
		return PaceStep{Release: int(missing)}
	case o.Waiting > 0:
		p.Run.Waits = "the outcome of the canary is awaited"
		return PaceStep{}
	}
	p.Run.Rate, p.Run.Waits = p.Pace.first(), ""
	p.window(now, o)
	return PaceStep{}
}

// judge looks at the window: it says why to halt, or takes the next step of the
// ramp when the window is over and was healthy.
func (p *Pacer) judge(now time.Time, o *OperationOutcomes) string {
	tried, failed := o.Tried()-p.tried, max(0, o.Failed-p.failed)
	over := now.Sub(p.since) >= p.Window && tried >= leastSample
	if !over && tried < earlySample {
		return ""
	}
	if float64(failed) > p.Pace.MaxFailures*float64(tried) {
		return fmt.Sprintf("%d of the last %d attempts failed, more than %.4g %%", min(failed, tried), tried, p.Pace.MaxFailures*100)
	}
	if over {
		if rate := min(p.Run.Rate, p.Pace.ceiling()); float64(o.Waiting) <= rate+1 {
			p.Run.Rate = p.Pace.next(rate)
		}
		p.window(now, o)
	}
	return ""
}
