package chatops

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Span words a length of time for people, in its two greatest units: 0.3s, 42s,
// 4m 12s, 3h 5m, 2d 4h.
func Span(d time.Duration) string {
	d = max(d, 0)
	if tenths := (d + 50*time.Millisecond) / (100 * time.Millisecond); d > 0 && tenths < 10 {
		return fmt.Sprintf("0.%ds", max(tenths, 1))
	}
	if d < time.Second && d > 0 {
		d = time.Second
	}
	const day = 24 * time.Hour
	units := []struct {
		length time.Duration
		name   string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	var words []string
	for i, u := range units {
		n := d / u.length
		if n == 0 {
			continue
		}
		words = append(words, strconv.Itoa(int(n))+u.name)
		if rest := d % u.length; i+1 < len(units) && rest >= units[i+1].length {
			words = append(words, strconv.Itoa(int(rest/units[i+1].length))+units[i+1].name)
		}
		break
	}
	if len(words) == 0 {
		return "0s"
	}
	return strings.Join(words, " ")
}

// Count words a number of things whose plural has an s: 1 alert, 3 alerts.
func Count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
