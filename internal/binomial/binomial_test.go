package binomial

import (
	"math"
	"testing"
)

// TestBounds compares with tables of one-sided Clopper-Pearson bounds at 95 %.
func TestBounds(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{Upper(0, 59), 0.0495}, {Upper(0, 819), 0.003651}, {Upper(1, 819), 0.005779}, {Upper(0, 45373), 0.0000660},
		{Upper(3, 3), 1}, {Upper(0, 0), 1},
		{Lower(45, 45), 0.9356}, {Lower(127, 130), 0.9415}, {Lower(1, 1), 0.05}, {Lower(0, 7), 0},
	} {
		if math.Abs(c.got-c.want) > c.want*0.002 {
			t.Errorf("%g, want %g", c.got, c.want)
		}
	}
}
