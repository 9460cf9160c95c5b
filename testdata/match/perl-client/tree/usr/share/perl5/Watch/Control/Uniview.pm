package Watch::Control::Uniview;
sub move { my $self = shift; return $self->put('/LAPI/V1.0/Channels/0/PTZ/PTZCtrl', '{}'); }
1;
