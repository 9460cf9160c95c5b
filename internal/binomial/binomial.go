// Package binomial bounds a rate of which k of n trials are known: one-sided at 95 %, exact
// (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404).
package binomial

import "math"

// Unlikely is the probability that a bound leaves out.
const Unlikely = 0.05

// Upper is the highest rate at which k successes or fewer in n trials are not yet unlikely.
func Upper(k, n int) float64 {
	if n <= 0 || k >= n {
		return 1
	}
	return bisect(func(p float64) bool { return atMost(k, n, p) > Unlikely })
}

// Lower is the lowest rate at which k successes or more in n trials are not yet unlikely.
func Lower(k, n int) float64 {
	if n <= 0 || k <= 0 {
		return 0
	}
	return 1 - Upper(n-k, n)
}

// bisect finds where below turns from true to false between 0 and 1.
func bisect(below func(float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for range 60 {
		if mid := (lo + hi) / 2; below(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// atMost is the probability of k successes or fewer in n trials at rate p.
func atMost(k, n int, p float64) float64 {
	if p <= 0 {
		return 1
	}
	if p >= 1 {
		return 0
	}
	lp, lq := math.Log(p), math.Log1p(-p)
	ln, _ := math.Lgamma(float64(n) + 1)
	sum := 0.0
	for i := 0; i <= k; i++ {
		a, _ := math.Lgamma(float64(i) + 1)
		b, _ := math.Lgamma(float64(n-i) + 1)
		sum += math.Exp(ln - a - b + float64(i)*lp + float64(n-i)*lq)
	}
	return sum
}
