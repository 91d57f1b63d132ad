// Package aws is a notice.Sender over Amazon SNS for text messages and Amazon
// SES for e-mail. Each call is made once: the SDK may not repeat it.
package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/notice"
)

// callTimeout bounds one call.
const callTimeout = 10 * time.Second

// Sender sends by SNS and SES.
type Sender struct {
	sns *sns.Client
	ses *sesv2.Client
}

var _ notice.Sender = (*Sender)(nil)

// New returns a sender with clients of that configuration.
func New(cfg aws.Config) *Sender {
	return &Sender{
		sns: sns.NewFromConfig(cfg, func(o *sns.Options) { o.Retryer = aws.NopRetryer{} }),
		ses: sesv2.NewFromConfig(cfg, func(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} }),
	}
}

// Text implements notice.Sender.
func (s *Sender) Text(ctx context.Context, phone, text string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.sns.Publish(ctx, &sns.PublishInput{PhoneNumber: &phone, Message: &text})
	return outcome("Publish", err)
}

// Mail implements notice.Sender.
func (s *Sender) Mail(ctx context.Context, from, to, subject, text string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	content := func(s string) *types.Content { return &types.Content{Data: &s, Charset: aws.String("UTF-8")} }
	_, err := s.ses.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: &from, Destination: &types.Destination{ToAddresses: []string{to}},
		Content: &types.EmailContent{Simple: &types.Message{Subject: content(subject), Body: &types.Body{Text: content(text)}}},
	})
	return outcome("SendEmail", err)
}

// outcome tells what was certainly refused. A service's own text is left out,
// for it may name the address.
func outcome(call string, err error) error {
	if err == nil {
		return nil
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &notice.Refused{Code: "Unreachable", Later: true}
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("notice: %s: no answer", call)
	}
	switch code := api.ErrorCode(); {
	case code == "TooManyRequestsException" || code == "Throttled" || code == "ThrottledException":
		return &notice.Refused{Code: code, Later: true}
	case api.ErrorFault() == smithy.FaultServer || code == "InternalError" || code == "InternalFailure" || code == "ServiceUnavailable" || code == "RequestTimeout":
		return fmt.Errorf("notice: %s: %s", call, code)
	default:
		return &notice.Refused{Code: code, Later: awserr.Retryable(code)}
	}
}
