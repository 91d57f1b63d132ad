package entity_test

import (
	"testing"

	"github.com/dropload/dropload/internal/entity"
)

func TestStandard(t *testing.T) {
	t.Parallel()
	c, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.Entities()); got != 12 {
		t.Errorf("%d entities, want 12", got)
	}
}
