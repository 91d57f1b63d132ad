// Package awserr says what an error of the AWS SDK means to a caller: whether
// the same call may go through when it is made again. It knows nothing of what
// the call was for.
package awserr

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/dropload/dropload/internal/fault"
)

// Wrap names the error of a call: the context's own where the context has ended,
// *fault.Transient where the call may go through later, and else the error
// itself; the latter two say what was called.
func Wrap(ctx context.Context, call string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = fmt.Errorf("%s: %w", call, err)
	if Transient(err) {
		return &fault.Transient{Cause: err}
	}
	return err
}

// Transient reports whether a call that failed so may go through later: the
// server was overloaded or failed, or the connection did.
func Transient(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && (Retryable(api.ErrorCode()) || api.ErrorFault() == smithy.FaultServer) {
		return true
	}
	for _, r := range retry.DefaultRetryables {
		switch r.IsErrorRetryable(err) {
		case aws.TrueTernary:
			return true
		case aws.FalseTernary:
			return false
		}
	}
	return false
}

// Retryable reports whether a code says that the thing was not done and may be
// asked for again. DynamoDB's statements and cancelled transactions have codes
// without "Exception".
func Retryable(code string) bool {
	switch code {
	case "Throttling", "ThrottlingError", "ThrottlingException", "SlowDown",
		"ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException",
		"RequestLimitExceeded", "InternalServerError", "InternalError", "ServiceUnavailable",
		"TransactionConflict", "TransactionConflictException", "TransactionInProgressException",
		"ConditionalRequestConflict", "RequestTimeout":
		return true
	}
	return false
}

// Code is the service's code of an error, "" where no service answered.
func Code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}
