package mapping

import "math"

// assign gives each row at most one column so that the sum of the gains is
// greatest; -1 is none. Gains of 0 or less are not taken. It is the Hungarian
// method with potentials, in O(n²m).
func assign(gain [][]float64, columns int) []int {
	n := len(gain)
	if n == 0 {
		return nil
	}
	m := columns + n // a way out for each row
	cost := func(i, j int) float64 {
		if j < columns {
			return -max(gain[i][j], 0)
		}
		return 0
	}
	u, v := make([]float64, n+1), make([]float64, m+1)
	match, way := make([]int, m+1), make([]int, m+1)
	for i := 1; i <= n; i++ {
		match[0] = i
		j0 := 0
		least, used := make([]float64, m+1), make([]bool, m+1)
		for j := range least {
			least[j] = math.Inf(1)
		}
		for {
			used[j0] = true
			i0, j1, delta := match[j0], 0, math.Inf(1)
			for j := 1; j <= m; j++ {
				if used[j] {
					continue
				}
				if c := cost(i0-1, j-1) - u[i0] - v[j]; c < least[j] {
					least[j], way[j] = c, j0
				}
				if least[j] < delta {
					delta, j1 = least[j], j
				}
			}
			for j := 0; j <= m; j++ {
				if used[j] {
					u[match[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			j0 = j1
			if match[j0] == 0 {
				break
			}
		}
		for j0 != 0 {
			j1 := way[j0]
			match[j0] = match[j1]
			j0 = j1
		}
	}
	result := make([]int, n)
	for i := range result {
		result[i] = -1
	}
	for j := 1; j <= columns; j++ {
		if i := match[j]; i > 0 && gain[i-1][j-1] > 0 {
			result[i-1] = j - 1
		}
	}
	return result
}
