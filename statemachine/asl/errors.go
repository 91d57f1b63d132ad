package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Error is why a state failed, as Retry and Catch see it.
type Error struct{ Name, Cause string }

// Error implements error.
func (e *Error) Error() string { return e.Name + ": " + e.Cause }

func runtimeError(format string, args ...any) *Error {
	return &Error{Name: "States.Runtime", Cause: fmt.Sprintf(format, args...)}
}

// matches reports whether names, an ErrorEquals, cover the error. The wildcards
// do not cover what AWS lets no wildcard cover.
func (e *Error) matches(names []string) bool {
	if slices.Contains(names, e.Name) {
		return true
	}
	if e.Name == "States.Runtime" || e.Name == "States.DataLimitExceeded" {
		return false
	}
	return slices.Contains(names, "States.ALL") ||
		slices.Contains(names, "States.TaskFailed") && e.Name != "States.Timeout"
}

// ErrorOf names a handler's error as Lambda does: by the outermost Go type,
// whatever it wraps. It is nil for nil.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	return lambdaError(err, err.Error())
}

func lambdaError(value any, message string) *Error {
	t := reflect.TypeOf(value)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	cause, err := json.Marshal(map[string]string{"errorMessage": message, "errorType": t.Name()})
	if err != nil {
		cause = []byte(message)
	}
	return &Error{Name: t.Name(), Cause: string(cause)}
}

// Call runs a handler as Lambda does: its error is named by ErrorOf, and a panic
// by the type of what was thrown.
func Call(ctx context.Context, handler func(context.Context, []byte) ([]byte, error), payload []byte) (out []byte, failed *Error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			out, failed = nil, lambdaError(thrown, fmt.Sprint(thrown))
		}
	}()
	out, err := handler(ctx, payload)
	return out, ErrorOf(err)
}
