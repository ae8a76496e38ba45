begin;
CREATE TABLE pawl_kv (
     shard integer not null, key text not null, version integer not null, value text not null,
     primary key (shard, key)
   ) without rowid;
insert into "pawl_kv" values (0, 'ask default 01b8f718ae00000b629c1f69a453ba 01b8f718ae00000b629c1f69a453ba-2', 1048635, '{"place":1,"names":["shared"]}');
insert into "pawl_kv" values (0, 'bell verdicts', 1048676, '1');
insert into "pawl_kv" values (0, 'bell visits', 1048677, '1');
insert into "pawl_kv" values (0, 'chore 01b8f718ae000008ab80394766836f 01b8f718ae000008ab80394766836f-4-0', 1048661, '{"kind":"complete","hook":"mail","attempt":2,"lastError":{"name":"Error","message":"no mail for shipped"},"run":{"id":"01b8f718ae000008ab80394766836f","definition":"orders","key":"shipped","createdAt":1893931200000,"state":"completed","status":"shipped","version":4,"visit":4,"attempt":0,"crashes":0,"updatedAt":1894021200000,"data":{"cents":500,"reminders":0}}}');
insert into "pawl_kv" values (0, 'cursor orders-paid mailer', 1048674, '{"places":[[0,1048642,0]],"at":1894107600000}');
insert into "pawl_kv" values (0, 'cursor parcels mailer', 1048648, '{"places":[[0,1048643,1]],"at":1893934800000}');
insert into "pawl_kv" values (0, 'event parcels 000000100044', 1048644, '{"at":1893934800000,"events":[{"id":"p1","key":"k","type":"sent"},{"id":"p2","key":"k","type":"sent"},{"id":"p3","key":"k","type":"sent"}]}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000003ef47dd32d259b 000000100008', 1048584, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"new"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000000f721599285726b 00000010001c', 1048604, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000000f721599285726b 00000010001d', 1048605, '{"at":1893931200000,"kind":"pause","by":"step","runState":"paused","version":2,"attempt":0,"durationMs":0,"reason":"to be looked at"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000173e6b63bc12ab1 00000010001e', 1048606, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000173e6b63bc12ab1 00000010001f', 1048607, '{"at":1893931200000,"kind":"cancel","by":"step","runState":"cancelled","version":2,"attempt":0,"durationMs":0,"reason":"not wanted"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000018bca3cdc21d5f8 000000100009', 1048585, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"checked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000018bca3cdc21d5f8 00000010003f', 1048639, '{"at":1893934800000,"kind":"stall","by":"engine","runState":"stalled","version":2,"attempt":0,"reason":"status \"checked\" is unknown to the deployed code"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000002f854e4db6e888d 000000100020', 1048608, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000002f854e4db6e888d 000000100021', 1048609, '{"at":1893931200000,"kind":"fail","by":"step","runState":"failed","version":2,"attempt":0,"durationMs":0,"reason":"not possible"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000377b8027ed50ba8 000000100022', 1048610, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000377b8027ed50ba8 000000100023', 1048611, '{"at":1893931200000,"kind":"move","by":"step","runState":"completed","version":2,"attempt":0,"from":"asked","to":"done","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000048c1c3fb3be07f1 000000100024', 1048612, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000048c1c3fb3be07f1 000000100025', 1048613, '{"at":1893931200000,"kind":"skip","by":"step","runState":"running","version":2,"attempt":0,"from":"asked","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000055fa4207cd821e1 000000100026', 1048614, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"placed"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000055fa4207cd821e1 000000100027', 1048615, '{"at":1893931200000,"kind":"move","by":"step","runState":"running","version":2,"attempt":0,"from":"placed","to":"billed","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000055fa4207cd821e1 000000100040', 1048640, '{"at":1893934800000,"kind":"pause","by":"operator","runState":"paused","version":3,"attempt":0,"reason":"wait"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000006ba5089577c7509 000000100028', 1048616, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"placed"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000006ba5089577c7509 000000100029', 1048617, '{"at":1893931200000,"kind":"move","by":"step","runState":"running","version":2,"attempt":0,"from":"placed","to":"billed","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000006ba5089577c7509 000000100041', 1048641, '{"at":1893934800000,"kind":"cancel","by":"operator","runState":"cancelled","version":3,"attempt":0,"reason":"no"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000073c701a9af33061 00000010002a', 1048618, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"placed"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae0000073c701a9af33061 00000010002b', 1048619, '{"at":1893931200000,"kind":"move","by":"step","runState":"running","version":2,"attempt":0,"from":"placed","to":"billed","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000008ab80394766836f 00000010002c', 1048620, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"placed"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000008ab80394766836f 00000010002d', 1048621, '{"at":1893931200000,"kind":"move","by":"step","runState":"running","version":2,"attempt":0,"from":"placed","to":"billed","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000008ab80394766836f 000000100042', 1048642, '{"at":1893934800000,"kind":"move","by":"callback","runState":"running","version":3,"attempt":0,"from":"billed","to":"paid","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000008ab80394766836f 000000100053', 1048659, '{"at":1894021200000,"kind":"move","by":"step","runState":"completed","version":4,"attempt":0,"from":"paid","to":"shipped","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000009d06fe91387f28c 00000010002e', 1048622, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"placed"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000009d06fe91387f28c 00000010002f', 1048623, '{"at":1893931200000,"kind":"move","by":"step","runState":"running","version":2,"attempt":0,"from":"placed","to":"billed","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae000009d06fe91387f28c 000000100060', 1048672, '{"at":1894107600000,"kind":"move","by":"callback","runState":"running","version":3,"attempt":0,"from":"billed","to":"paid","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 000000100030', 1048624, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 000000100031', 1048625, '{"at":1893931200000,"kind":"lock-requested","by":"engine","runState":"initiated","version":2,"attempt":0,"name":"shared"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 00000010003a', 1048634, '{"at":1893931200000,"kind":"lock-acquired","by":"engine","runState":"initiated","version":3,"attempt":0,"name":"shared","token":1}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 00000010003e', 1048638, '{"at":1893931200000,"kind":"error","by":"step","runState":"initiated","version":4,"attempt":1,"from":"asked","durationMs":0,"error":{"name":"Error","message":"the bank is down"}}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 000000100049', 1048649, '{"at":1893974400000,"kind":"error","by":"step","runState":"initiated","version":5,"attempt":2,"from":"asked","durationMs":0,"error":{"name":"Error","message":"the bank is down"}}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 000000100051', 1048657, '{"at":1894017600000,"kind":"error","by":"step","runState":"initiated","version":6,"attempt":3,"from":"asked","durationMs":0,"error":{"name":"Error","message":"the bank is down"}}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 000000100057', 1048663, '{"at":1894060800000,"kind":"error","by":"step","runState":"initiated","version":7,"attempt":4,"from":"asked","durationMs":0,"error":{"name":"Error","message":"the bank is down"}}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000a8f89118adfc77c 00000010005e', 1048670, '{"at":1894104000000,"kind":"error","by":"step","runState":"initiated","version":8,"attempt":5,"from":"asked","durationMs":0,"error":{"name":"Error","message":"the bank is down"}}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000b629c1f69a453ba 000000100032', 1048626, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000b629c1f69a453ba 000000100033', 1048627, '{"at":1893931200000,"kind":"lock-requested","by":"engine","runState":"initiated","version":2,"attempt":0,"name":"shared"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000b629c1f69a453ba 00000010003d', 1048637, '{"at":1893931200000,"kind":"lock-waits","by":"engine","runState":"initiated","version":3,"attempt":0,"name":"shared"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000c1f2ce560c96021 000000100034', 1048628, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"booked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000c1f2ce560c96021 000000100035', 1048629, '{"at":1893931200000,"kind":"move","by":"step","runState":"completed","version":2,"attempt":0,"from":"booked","to":"over","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000da02261af95ec7c 000000100036', 1048630, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"booked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000da02261af95ec7c 000000100038', 1048632, '{"at":1893931200000,"kind":"move","by":"step","runState":"completed","version":2,"attempt":0,"from":"booked","to":"over","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000da02261af95ec7c 000000100043', 1048645, '{"at":1893934800000,"kind":"delete-request","by":"operator","runState":"deletion-requested","version":3,"attempt":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000da02261af95ec7c 000000100046', 1048646, '{"at":1893934800000,"kind":"delete","by":"engine","runState":"deleted","version":4,"attempt":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000e0983efb2a9d0d1 000000100039', 1048633, '{"at":1893931200000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"booked"}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000e0983efb2a9d0d1 00000010003c', 1048636, '{"at":1893931200000,"kind":"move","by":"step","runState":"completed","version":2,"attempt":0,"from":"booked","to":"over","durationMs":0}');
insert into "pawl_kv" values (0, 'hist 01b8f718ae00000e0983efb2a9d0d1 000000100065', 1048677, '{"at":1894107600000,"kind":"delete-request","by":"operator","runState":"deletion-requested","version":3,"attempt":0,"reason":"deletion requested by an operator"}');
insert into "pawl_kv" values (0, 'hist 01b8fa19b9000000fad90da1335f79 00000010004b', 1048651, '{"at":1893981600000,"kind":"trigger","by":"schedule","runState":"initiated","version":1,"attempt":0,"to":"due"}');
insert into "pawl_kv" values (0, 'hist 01b8fa19b9000000fad90da1335f79 000000100059', 1048665, '{"at":1894068000000,"kind":"terminate","by":"schedule","runState":"terminated","version":2,"attempt":0,"reason":"schedule \"ender\" makes room for 2030-01-08T02:00:00.000Z"}');
insert into "pawl_kv" values (0, 'hist 01b8fa3530400000f79f5ae56f6224 00000010004e', 1048654, '{"at":1893983400000,"kind":"trigger","by":"schedule","runState":"initiated","version":1,"attempt":0,"to":"due"}');
insert into "pawl_kv" values (0, 'hist 01b8ff4015000000ead7f022805f79 00000010005c', 1048668, '{"at":1894068000000,"kind":"trigger","by":"schedule","runState":"initiated","version":1,"attempt":0,"to":"due"}');
insert into "pawl_kv" values (0, 'hist 01b9019c54800000dc3a9b82575ced 000000100064', 1048676, '{"at":1894107600000,"kind":"trigger","by":"client","runState":"initiated","version":1,"attempt":0,"to":"asked"}');
insert into "pawl_kv" values (0, 'idem orders shipped callback paid-1', 1048642, '{"runId":"01b8f718ae000008ab80394766836f","input":"6b0567aaeb34c98b-13","status":"paid","runState":"running"}');
insert into "pawl_kv" values (0, 'idem orders waits-to-be-paid trigger the-customer-clicked', 1048618, '{"runId":"01b8f718ae0000073c701a9af33061","input":"e533fd67c24d835d-22"}');
insert into "pawl_kv" values (0, 'key orders by-hand', 1048614, '{"runId":"01b8f718ae0000055fa4207cd821e1"}');
insert into "pawl_kv" values (0, 'key orders ended-by-hand', 1048616, '{"runId":"01b8f718ae000006ba5089577c7509"}');
insert into "pawl_kv" values (0, 'key orders shipped', 1048620, '{"runId":"01b8f718ae000008ab80394766836f"}');
insert into "pawl_kv" values (0, 'key orders waits-to-be-paid', 1048618, '{"runId":"01b8f718ae0000073c701a9af33061"}');
insert into "pawl_kv" values (0, 'key orders waits-to-be-shipped', 1048622, '{"runId":"01b8f718ae000009d06fe91387f28c"}');
insert into "pawl_kv" values (0, 'key people ann', 1048584, '{"runId":"01b8f718ae0000003ef47dd32d259b"}');
insert into "pawl_kv" values (0, 'key people bob', 1048585, '{"runId":"01b8f718ae0000018bca3cdc21d5f8"}');
insert into "pawl_kv" values (0, 'key reports ender', 1048668, '{"runId":"01b8ff4015000000ead7f022805f79"}');
insert into "pawl_kv" values (0, 'key reports weekly-2030-01-07T02:30:00.000Z', 1048654, '{"runId":"01b8fa3530400000f79f5ae56f6224"}');
insert into "pawl_kv" values (0, 'key transfers first', 1048624, '{"runId":"01b8f718ae00000a8f89118adfc77c"}');
insert into "pawl_kv" values (0, 'key transfers second', 1048626, '{"runId":"01b8f718ae00000b629c1f69a453ba"}');
insert into "pawl_kv" values (0, 'key verdicts cancel', 1048606, '{"runId":"01b8f718ae00000173e6b63bc12ab1"}');
insert into "pawl_kv" values (0, 'key verdicts done', 1048610, '{"runId":"01b8f718ae00000377b8027ed50ba8"}');
insert into "pawl_kv" values (0, 'key verdicts fail', 1048608, '{"runId":"01b8f718ae000002f854e4db6e888d"}');
insert into "pawl_kv" values (0, 'key verdicts from-elsewhere', 1048676, '{"runId":"01b9019c54800000dc3a9b82575ced"}');
insert into "pawl_kv" values (0, 'key verdicts pause', 1048604, '{"runId":"01b8f718ae000000f721599285726b"}');
insert into "pawl_kv" values (0, 'key verdicts skip', 1048612, '{"runId":"01b8f718ae0000048c1c3fb3be07f1"}');
insert into "pawl_kv" values (0, 'key visits erased', 1048630, '{"runId":"01b8f718ae00000da02261af95ec7c"}');
insert into "pawl_kv" values (0, 'key visits over', 1048628, '{"runId":"01b8f718ae00000c1f2ce560c96021"}');
insert into "pawl_kv" values (0, 'key visits to-be-erased', 1048633, '{"runId":"01b8f718ae00000e0983efb2a9d0d1"}');
insert into "pawl_kv" values (0, 'list orders active 01b8f718ae0000073c701a9af33061', 1048618, '1');
insert into "pawl_kv" values (0, 'list orders active 01b8f718ae000009d06fe91387f28c', 1048622, '1');
insert into "pawl_kv" values (0, 'list orders cancelled 01b8f718ae000006ba5089577c7509', 1048641, '1');
insert into "pawl_kv" values (0, 'list orders completed 01b8f718ae000008ab80394766836f', 1048659, '1');
insert into "pawl_kv" values (0, 'list orders paused 01b8f718ae0000055fa4207cd821e1', 1048640, '1');
insert into "pawl_kv" values (0, 'list people active 01b8f718ae0000003ef47dd32d259b', 1048584, '1');
insert into "pawl_kv" values (0, 'list people stalled 01b8f718ae0000018bca3cdc21d5f8', 1048639, '1');
insert into "pawl_kv" values (0, 'list reports active 01b8fa3530400000f79f5ae56f6224', 1048654, '1');
insert into "pawl_kv" values (0, 'list reports active 01b8ff4015000000ead7f022805f79', 1048668, '1');
insert into "pawl_kv" values (0, 'list reports terminated 01b8fa19b9000000fad90da1335f79', 1048665, '1');
insert into "pawl_kv" values (0, 'list transfers active 01b8f718ae00000a8f89118adfc77c', 1048624, '1');
insert into "pawl_kv" values (0, 'list transfers active 01b8f718ae00000b629c1f69a453ba', 1048626, '1');
insert into "pawl_kv" values (0, 'list verdicts active 01b8f718ae0000048c1c3fb3be07f1', 1048612, '1');
insert into "pawl_kv" values (0, 'list verdicts active 01b9019c54800000dc3a9b82575ced', 1048676, '1');
insert into "pawl_kv" values (0, 'list verdicts cancelled 01b8f718ae00000173e6b63bc12ab1', 1048607, '1');
insert into "pawl_kv" values (0, 'list verdicts completed 01b8f718ae00000377b8027ed50ba8', 1048611, '1');
insert into "pawl_kv" values (0, 'list verdicts failed 01b8f718ae000002f854e4db6e888d', 1048609, '1');
insert into "pawl_kv" values (0, 'list verdicts paused 01b8f718ae000000f721599285726b', 1048605, '1');
insert into "pawl_kv" values (0, 'list visits completed 01b8f718ae00000c1f2ce560c96021', 1048629, '1');
insert into "pawl_kv" values (0, 'list visits deleted 01b8f718ae00000da02261af95ec7c', 1048646, '1');
insert into "pawl_kv" values (0, 'list visits deletion-requested 01b8f718ae00000e0983efb2a9d0d1', 1048677, '1');
insert into "pawl_kv" values (0, 'lock default gpu', 1048675, '{"kind":"semaphore","capacity":4,"tokens":1,"holders":[{"holder":"2a5c1e72d1fae101f860c7fa","request":"2a5c1e72d1fae101f860c7fa","weight":3,"since":1894107600000,"holdMs":7200000,"until":1894114800000,"token":1}],"waiters":0}');
insert into "pawl_kv" values (0, 'lock default shared', 1048658, '{"kind":"mutex","capacity":1,"tokens":1,"holders":[{"holder":"01b8f718ae00000a8f89118adfc77c","request":"01b8f718ae00000a8f89118adfc77c-2","weight":0,"since":1893931200000,"run":"transfers","token":1,"told":true}],"waiters":1}');
insert into "pawl_kv" values (0, 'lockdue 01b9020a3180 default gpu', 1048675, '1');
insert into "pawl_kv" values (0, 'log orders 000000100026', 1048614, '{"topic":"orders-placed","runId":"01b8f718ae0000055fa4207cd821e1","key":"by-hand","status":"placed","runState":"initiated","recordVersion":1,"at":1893931200000,"kind":"trigger"}');
insert into "pawl_kv" values (0, 'log orders 000000100027', 1048615, '{"topic":"orders-billed","runId":"01b8f718ae0000055fa4207cd821e1","key":"by-hand","status":"billed","runState":"running","recordVersion":2,"at":1893931200000,"kind":"move"}');
insert into "pawl_kv" values (0, 'log orders 000000100028', 1048616, '{"topic":"orders-placed","runId":"01b8f718ae000006ba5089577c7509","key":"ended-by-hand","status":"placed","runState":"initiated","recordVersion":1,"at":1893931200000,"kind":"trigger"}');
insert into "pawl_kv" values (0, 'log orders 000000100029', 1048617, '{"topic":"orders-billed","runId":"01b8f718ae000006ba5089577c7509","key":"ended-by-hand","status":"billed","runState":"running","recordVersion":2,"at":1893931200000,"kind":"move"}');
insert into "pawl_kv" values (0, 'log orders 00000010002a', 1048618, '{"topic":"orders-placed","runId":"01b8f718ae0000073c701a9af33061","key":"waits-to-be-paid","status":"placed","runState":"initiated","recordVersion":1,"at":1893931200000,"kind":"trigger"}');
insert into "pawl_kv" values (0, 'log orders 00000010002b', 1048619, '{"topic":"orders-billed","runId":"01b8f718ae0000073c701a9af33061","key":"waits-to-be-paid","status":"billed","runState":"running","recordVersion":2,"at":1893931200000,"kind":"move"}');
insert into "pawl_kv" values (0, 'log orders 00000010002c', 1048620, '{"topic":"orders-placed","runId":"01b8f718ae000008ab80394766836f","key":"shipped","status":"placed","runState":"initiated","recordVersion":1,"at":1893931200000,"kind":"trigger"}');
insert into "pawl_kv" values (0, 'log orders 00000010002d', 1048621, '{"topic":"orders-billed","runId":"01b8f718ae000008ab80394766836f","key":"shipped","status":"billed","runState":"running","recordVersion":2,"at":1893931200000,"kind":"move"}');
insert into "pawl_kv" values (0, 'log orders 00000010002e', 1048622, '{"topic":"orders-placed","runId":"01b8f718ae000009d06fe91387f28c","key":"waits-to-be-shipped","status":"placed","runState":"initiated","recordVersion":1,"at":1893931200000,"kind":"trigger"}');
insert into "pawl_kv" values (0, 'log orders 00000010002f', 1048623, '{"topic":"orders-billed","runId":"01b8f718ae000009d06fe91387f28c","key":"waits-to-be-shipped","status":"billed","runState":"running","recordVersion":2,"at":1893931200000,"kind":"move"}');
insert into "pawl_kv" values (0, 'log orders 000000100040', 1048640, '{"topic":"orders-run-state-change","runId":"01b8f718ae0000055fa4207cd821e1","key":"by-hand","status":"billed","runState":"paused","recordVersion":3,"at":1893934800000,"kind":"pause"}');
insert into "pawl_kv" values (0, 'log orders 000000100041', 1048641, '{"topic":"orders-run-state-change","runId":"01b8f718ae000006ba5089577c7509","key":"ended-by-hand","status":"billed","runState":"cancelled","recordVersion":3,"at":1893934800000,"kind":"cancel"}');
insert into "pawl_kv" values (0, 'log orders 000000100042', 1048642, '{"topic":"orders-paid","runId":"01b8f718ae000008ab80394766836f","key":"shipped","status":"paid","runState":"running","recordVersion":3,"at":1893934800000,"kind":"move"}');
insert into "pawl_kv" values (0, 'log orders 000000100053', 1048659, '{"topic":"orders-run-state-change","runId":"01b8f718ae000008ab80394766836f","key":"shipped","status":"shipped","runState":"completed","recordVersion":4,"at":1894021200000,"kind":"move"}');
insert into "pawl_kv" values (0, 'log orders 000000100060', 1048672, '{"topic":"orders-paid","runId":"01b8f718ae000009d06fe91387f28c","key":"waits-to-be-shipped","status":"paid","runState":"running","recordVersion":3,"at":1894107600000,"kind":"move"}');
insert into "pawl_kv" values (0, 'mark ender', 1048668, '{"life":"3a2f1eaf6d","start":2,"runId":"01b8ff4015000000ead7f022805f79"}');
insert into "pawl_kv" values (0, 'mark weekly', 1048654, '{"life":"8aa93bdd27","start":1,"runId":"01b8fa3530400000f79f5ae56f6224"}');
insert into "pawl_kv" values (0, 'occ ender 01b8fa19b900 at', 1048652, '{"kind":"started","by":"slot","start":1,"runId":"01b8fa19b9000000fad90da1335f79","decidedAt":1893981600000}');
insert into "pawl_kv" values (0, 'occ ender 01b8ff401500 at', 1048669, '{"kind":"started","by":"slot","start":2,"runId":"01b8ff4015000000ead7f022805f79","decidedAt":1894068000000}');
insert into "pawl_kv" values (0, 'occ weekly 01b8fa353040 at', 1048655, '{"kind":"started","by":"slot","start":1,"runId":"01b8fa3530400000f79f5ae56f6224","decidedAt":1893983400000}');
insert into "pawl_kv" values (0, 'owner orders', 1048594, '{"engineId":"afa967bfb8a2","epoch":2,"since":1893931200000}');
insert into "pawl_kv" values (0, 'owner people', 1048599, '{"engineId":"afa967bfb8a2","epoch":2,"since":1893931200000}');
insert into "pawl_kv" values (0, 'owner reports', 1048598, '{"engineId":"afa967bfb8a2","epoch":2,"since":1893931200000}');
insert into "pawl_kv" values (0, 'owner transfers', 1048596, '{"engineId":"afa967bfb8a2","epoch":2,"since":1893931200000}');
insert into "pawl_kv" values (0, 'owner verdicts', 1048595, '{"engineId":"afa967bfb8a2","epoch":2,"since":1893931200000}');
insert into "pawl_kv" values (0, 'owner visits', 1048597, '{"engineId":"afa967bfb8a2","epoch":2,"since":1893931200000}');
insert into "pawl_kv" values (0, 'parked orders 01b8f718ae000008ab80394766836f-4-0', 1048661, '1');
insert into "pawl_kv" values (0, 'places default', 1048635, '{"last":1}');
insert into "pawl_kv" values (0, 'presence afa967bfb8a2', 1048671, '{"expiresAt":1894276800000,"termMs":172800000,"since":1893931200000,"codeVersion":0,"carries":[["orders","07b91587bd690b75-68"],["verdicts","3869f2392d1fb19b-20"],["transfers","a39b389a53759c1f-24"],["visits","af6a4d1b1adad0fe-21"],["reports","1b859b4ebfc17736-24"],["people","b21f4546b45a66c3-24"]]}');
insert into "pawl_kv" values (0, 'roster', 1048593, '1');
insert into "pawl_kv" values (0, 'run 01b8f718ae0000003ef47dd32d259b', 1048584, '{"id":"01b8f718ae0000003ef47dd32d259b","definition":"people","key":"ann","createdAt":1893931200000,"state":"initiated","status":"new","version":1,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893931200000,"due":1899115200000,"data":{"name":"Ann Lee"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae000000f721599285726b', 1048605, '{"id":"01b8f718ae000000f721599285726b","definition":"verdicts","key":"pause","createdAt":1893931200000,"state":"paused","status":"asked","version":2,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893931200000,"reason":"to be looked at","data":{"verdict":"pause"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae00000173e6b63bc12ab1', 1048607, '{"id":"01b8f718ae00000173e6b63bc12ab1","definition":"verdicts","key":"cancel","createdAt":1893931200000,"state":"cancelled","status":"asked","version":2,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893931200000,"reason":"not wanted","data":{"verdict":"cancel"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae0000018bca3cdc21d5f8', 1048639, '{"id":"01b8f718ae0000018bca3cdc21d5f8","definition":"people","key":"bob","createdAt":1893931200000,"state":"stalled","status":"checked","version":2,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893934800000,"reason":"status \"checked\" is unknown to the deployed code","data":{"name":"Bob Hay"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae000002f854e4db6e888d', 1048609, '{"id":"01b8f718ae000002f854e4db6e888d","definition":"verdicts","key":"fail","createdAt":1893931200000,"state":"failed","status":"asked","version":2,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893931200000,"reason":"not possible","data":{"verdict":"fail"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae00000377b8027ed50ba8', 1048611, '{"id":"01b8f718ae00000377b8027ed50ba8","definition":"verdicts","key":"done","createdAt":1893931200000,"state":"completed","status":"done","version":2,"visit":2,"attempt":0,"crashes":0,"updatedAt":1893931200000,"data":{"verdict":"done"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae0000048c1c3fb3be07f1', 1048613, '{"id":"01b8f718ae0000048c1c3fb3be07f1","definition":"verdicts","key":"skip","createdAt":1893931200000,"state":"running","status":"asked","version":2,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893931200000,"data":{"verdict":"skip"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae0000055fa4207cd821e1', 1048640, '{"id":"01b8f718ae0000055fa4207cd821e1","definition":"orders","key":"by-hand","createdAt":1893931200000,"state":"paused","status":"billed","version":3,"visit":2,"attempt":0,"crashes":0,"updatedAt":1893934800000,"timers":[{"name":"remind","at":1894190400000,"attempt":0,"round":0},{"name":"expire","at":1896523200000,"attempt":0,"round":0}],"reason":"wait","data":{"cents":1,"reminders":0}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae000006ba5089577c7509', 1048641, '{"id":"01b8f718ae000006ba5089577c7509","definition":"orders","key":"ended-by-hand","createdAt":1893931200000,"state":"cancelled","status":"billed","version":3,"visit":2,"attempt":0,"crashes":0,"updatedAt":1893934800000,"reason":"no","data":{"cents":1,"reminders":0}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae0000073c701a9af33061', 1048619, '{"id":"01b8f718ae0000073c701a9af33061","definition":"orders","key":"waits-to-be-paid","createdAt":1893931200000,"state":"running","status":"billed","version":2,"visit":2,"attempt":0,"crashes":0,"updatedAt":1893931200000,"due":1894190400000,"stepDue":null,"timers":[{"name":"remind","at":1894190400000,"attempt":0,"round":0},{"name":"expire","at":1896523200000,"attempt":0,"round":0}],"data":{"cents":500,"reminders":0}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae000008ab80394766836f', 1048659, '{"id":"01b8f718ae000008ab80394766836f","definition":"orders","key":"shipped","createdAt":1893931200000,"state":"completed","status":"shipped","version":4,"visit":4,"attempt":0,"crashes":0,"updatedAt":1894021200000,"data":{"cents":500,"reminders":0}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae000009d06fe91387f28c', 1048672, '{"id":"01b8f718ae000009d06fe91387f28c","definition":"orders","key":"waits-to-be-shipped","createdAt":1893931200000,"state":"running","status":"paid","version":3,"visit":3,"attempt":0,"crashes":0,"updatedAt":1894107600000,"due":1894194000000,"data":{"cents":500,"reminders":0}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae00000a8f89118adfc77c', 1048670, '{"id":"01b8f718ae00000a8f89118adfc77c","definition":"transfers","key":"first","createdAt":1893931200000,"state":"initiated","status":"asked","version":8,"visit":1,"attempt":5,"crashes":0,"updatedAt":1894104000000,"due":1894147200000,"lock":{"namespace":"default","wants":[{"name":"shared","kind":"mutex","capacity":1,"weight":0}],"request":"01b8f718ae00000a8f89118adfc77c-2","tokens":[1]},"lastError":{"name":"Error","message":"the bank is down"},"data":{"account":"shared"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae00000b629c1f69a453ba', 1048637, '{"id":"01b8f718ae00000b629c1f69a453ba","definition":"transfers","key":"second","createdAt":1893931200000,"state":"initiated","status":"asked","version":3,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893931200000,"lock":{"namespace":"default","wants":[{"name":"shared","kind":"mutex","capacity":1,"weight":0}],"request":"01b8f718ae00000b629c1f69a453ba-2"},"data":{"account":"shared"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae00000c1f2ce560c96021', 1048629, '{"id":"01b8f718ae00000c1f2ce560c96021","definition":"visits","key":"over","createdAt":1893931200000,"state":"completed","status":"over","version":2,"visit":2,"attempt":0,"crashes":0,"updatedAt":1893931200000,"due":1901707200000,"data":{"name":"Ann","ward":"eyes"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae00000da02261af95ec7c', 1048646, '{"id":"01b8f718ae00000da02261af95ec7c","definition":"visits","key":"erased","createdAt":1893931200000,"state":"deleted","status":"over","version":4,"visit":2,"attempt":0,"crashes":0,"updatedAt":1893934800000,"due":1901710800000,"reason":"letter 17","data":{"name":"","ward":"eyes"}}');
insert into "pawl_kv" values (0, 'run 01b8f718ae00000e0983efb2a9d0d1', 1048677, '{"id":"01b8f718ae00000e0983efb2a9d0d1","definition":"visits","key":"to-be-erased","createdAt":1893931200000,"state":"deletion-requested","status":"over","version":3,"visit":2,"attempt":0,"crashes":0,"updatedAt":1894107600000,"due":1894107600000,"reason":"deletion requested by an operator","data":{"name":"Ann","ward":"eyes"}}');
insert into "pawl_kv" values (0, 'run 01b8fa19b9000000fad90da1335f79', 1048665, '{"id":"01b8fa19b9000000fad90da1335f79","definition":"reports","key":"ender","createdAt":1893981600000,"origin":{"schedule":"ender","life":"3a2f1eaf6d","start":1,"at":1893981600000},"state":"terminated","status":"due","version":2,"visit":1,"attempt":0,"crashes":0,"updatedAt":1894068000000,"reason":"schedule \"ender\" makes room for 2030-01-08T02:00:00.000Z","data":{"shop":"main street"}}');
insert into "pawl_kv" values (0, 'run 01b8fa3530400000f79f5ae56f6224', 1048654, '{"id":"01b8fa3530400000f79f5ae56f6224","definition":"reports","key":"weekly-2030-01-07T02:30:00.000Z","createdAt":1893983400000,"origin":{"schedule":"weekly","life":"8aa93bdd27","start":1,"at":1893983400000},"state":"initiated","status":"due","version":1,"visit":1,"attempt":0,"crashes":0,"updatedAt":1893983400000,"data":{"shop":"main street"}}');
insert into "pawl_kv" values (0, 'run 01b8ff4015000000ead7f022805f79', 1048668, '{"id":"01b8ff4015000000ead7f022805f79","definition":"reports","key":"ender","createdAt":1894068000000,"previous":"01b8fa19b9000000fad90da1335f79","origin":{"schedule":"ender","life":"3a2f1eaf6d","start":2,"at":1894068000000},"state":"initiated","status":"due","version":1,"visit":1,"attempt":0,"crashes":0,"updatedAt":1894068000000,"data":{"shop":"main street"}}');
insert into "pawl_kv" values (0, 'run 01b9019c54800000dc3a9b82575ced', 1048676, '{"id":"01b9019c54800000dc3a9b82575ced","definition":"verdicts","key":"from-elsewhere","createdAt":1894107600000,"state":"initiated","status":"asked","version":1,"visit":1,"attempt":0,"crashes":0,"updatedAt":1894107600000,"due":1894107600000,"data":{"verdict":"done"}}');
insert into "pawl_kv" values (0, 'sched ender', 1048669, '{"id":"ender","definition":"reports","life":"3a2f1eaf6d","rules":{"key":"ender","type":"every","spec":"{\"everyMs\":86400000,\"phaseMs\":7200000}","overlap":"terminateOther","catchUpMs":86400000,"jitterMs":0,"pauseOnFailure":false,"data":"f211ab397b10cf1d-16"},"isEnabled":true,"payload":"{\"shop\":\"main street\"}","sealed":false,"dataVersion":1,"createdAt":1893931200000,"updatedAt":1894068000000,"version":6,"next":{"at":1894154400000,"due":1894154400000},"start":2,"triggeredAt":0,"running":[{"at":1894068000000,"kind":"slot","start":2,"runId":"01b8ff4015000000ead7f022805f79"}],"waiting":[],"backfills":[],"counts":{"started":2,"skipped":0,"missed":0,"failed":0},"results":[{"at":1893981600000,"runId":"01b8fa19b9000000fad90da1335f79","state":"terminated","endedAt":1894068000000}],"outcomes":2}');
insert into "pawl_kv" values (0, 'sched resting', 1048603, '{"id":"resting","definition":"reports","life":"f5e3026e98","rules":{"key":"resting","type":"every","spec":"{\"everyMs\":86400000,\"phaseMs\":7200000}","overlap":"skip","catchUpMs":86400000,"jitterMs":0,"pauseOnFailure":false,"data":"f211ab397b10cf1d-16"},"isEnabled":false,"payload":"{\"shop\":\"main street\"}","sealed":false,"dataVersion":1,"createdAt":1893931200000,"updatedAt":1893931200000,"version":2,"next":{"at":1893981600000,"due":1893981600000},"start":0,"triggeredAt":0,"running":[],"waiting":[],"backfills":[],"counts":{"started":0,"skipped":0,"missed":0,"failed":0},"results":[],"outcomes":0,"note":"holidays"}');
insert into "pawl_kv" values (0, 'sched weekly', 1048655, '{"id":"weekly","definition":"reports","life":"8aa93bdd27","rules":{"key":"weekly-{scheduledFor}","type":"cron","spec":"{\"expression\":\"30 2 * * mon\",\"timeZone\":\"Europe/London\",\"gap\":\"first-valid\",\"overlap\":\"first\"}","overlap":"allowAll","catchUpMs":86400000,"jitterMs":0,"pauseOnFailure":false,"data":"f211ab397b10cf1d-16"},"isEnabled":true,"payload":"{\"shop\":\"main street\"}","sealed":false,"dataVersion":1,"createdAt":1893931200000,"updatedAt":1893983400000,"version":3,"next":{"at":1894588200000,"due":1894588200000},"start":1,"triggeredAt":0,"running":[{"at":1893983400000,"kind":"slot","start":1,"runId":"01b8fa3530400000f79f5ae56f6224"}],"waiting":[],"backfills":[],"counts":{"started":1,"skipped":0,"missed":0,"failed":0},"results":[],"outcomes":1}');
insert into "pawl_kv" values (0, 'tick reports 01b904667100 ender', 1048669, '1');
insert into "pawl_kv" values (0, 'tick reports 01b91e41b440 weekly', 1048655, '1');
insert into "pawl_kv" values (0, 'wait default shared 000000000001', 1048635, '{"request":"01b8f718ae00000b629c1f69a453ba-2","holder":"01b8f718ae00000b629c1f69a453ba","run":"transfers","wants":[{"name":"shared","weight":0}],"since":1893931200000}');
insert into "pawl_kv" values (0, 'work orders 01b9068bc200 01b8f718ae0000073c701a9af33061', 1048619, '1');
insert into "pawl_kv" values (0, 'work orders 01b906c2b080 01b8f718ae000009d06fe91387f28c', 1048672, '1');
insert into "pawl_kv" values (0, 'work people 01ba2c163e00 01b8f718ae0000003ef47dd32d259b', 1048584, '1');
insert into "pawl_kv" values (0, 'work transfers 01b903f89400 01b8f718ae00000a8f89118adfc77c', 1048670, '1');
insert into "pawl_kv" values (0, 'work verdicts 01b9019c5480 01b9019c54800000dc3a9b82575ced', 1048676, '1');
insert into "pawl_kv" values (0, 'work visits 01b9019c5480 01b8f718ae00000e0983efb2a9d0d1', 1048677, '1');
insert into "pawl_kv" values (0, 'work visits 01bac6950600 01b8f718ae00000c1f2ce560c96021', 1048629, '1');
insert into "pawl_kv" values (0, 'work visits 01bac6cbf480 01b8f718ae00000da02261af95ec7c', 1048646, '1');
CREATE TABLE pawl_meta (name text primary key, value text not null) without rowid;
insert into "pawl_meta" values ('format', '1');
insert into "pawl_meta" values ('id', '37fbae5f5ea9fc1785a568c6');
insert into "pawl_meta" values ('shards', '1');
insert into "pawl_meta" values ('views', '1');
CREATE TABLE pawl_scratch (
     id integer primary key, call integer not null, version integer not null, failed integer, kept text);
CREATE TABLE pawl_shard (shard integer primary key, version integer not null);
insert into "pawl_shard" values (0, 1048677);
CREATE VIEW pawl_counts as select definition, status, state, count(*) as runs from (
    select k.value ->> 'definition' as definition, k.value ->> 'status' as status, k.value ->> 'state' as state
    from pawl_shard s cross join pawl_kv k
     on k.shard = s.shard and k.key >= 'run ' and k.key < 'run!')
  group by state, definition, status;
CREATE VIEW pawl_engines as select
    substr(p.key, 10) as engine_id,
    p.value ->> 'since' as since,
    p.value ->> 'expiresAt' as expires_at,
    p.value ->> 'termMs' as term_ms
  from pawl_kv p where p.shard = 0 and p.key >= 'presence ' and p.key < 'presence!';
CREATE VIEW pawl_history as select
    substr(k.key, 5) as run_id,
    k.value ->> 'definition' as definition,
    k.value ->> 'key' as key,
    h.version as position,
    h.value ->> 'at' as at,
    h.value ->> 'kind' as kind,
    h.value ->> 'by' as actor,
    h.value ->> 'from' as from_status,
    h.value ->> 'to' as to_status,
    h.value ->> 'runState' as state,
    h.value ->> 'version' as version,
    h.value ->> 'attempt' as attempt,
    h.value ->> 'durationMs' as duration_ms,
    h.value ->> 'reason' as reason,
    h.value ->> '$.error.name' as error_name,
    h.value ->> '$.error.message' as error,
    h.shard as shard
  from pawl_shard s cross join pawl_kv k
     on k.shard = s.shard and k.key >= 'run ' and k.key < 'run!'
  cross join pawl_kv h on h.shard = k.shard
    and h.key >= 'hist ' || substr(k.key, 5) || ' ' and h.key < 'hist ' || substr(k.key, 5) || '!';
CREATE VIEW pawl_inbox as
     select 0 as id, '' as kind, 0 as call, 0 as shard, 0 as version, '' as checks, '' as puts, '' as deletes,
       '' as outcome, '' as call_id, '' as previous
     where false;
CREATE VIEW pawl_leases as select
    (
    with recursive u (done, rest) as (
      select '', substr(o.key, 7)
      union all
      select
        done || case substr(rest, 1, 1)
          when '!' then char(((instr('0123456789abcdef', substr(rest, 2, 1)) - 1) << 4) + ((instr('0123456789abcdef', substr(rest, 3, 1)) - 1) << 0))
          when '~' then char(((instr('0123456789abcdef', substr(rest, 2, 1)) - 1) << 20) + ((instr('0123456789abcdef', substr(rest, 3, 1)) - 1) << 16) + ((instr('0123456789abcdef', substr(rest, 4, 1)) - 1) << 12) + ((instr('0123456789abcdef', substr(rest, 5, 1)) - 1) << 8) + ((instr('0123456789abcdef', substr(rest, 6, 1)) - 1) << 4) + ((instr('0123456789abcdef', substr(rest, 7, 1)) - 1) << 0))
          else substr(rest, 1, 1) end,
        substr(rest, case substr(rest, 1, 1) when '!' then 4 when '~' then 8 else 2 end)
      from u where rest <> '')
    select done from u where rest = '') as definition,
    o.shard as shard,
    o.value ->> 'engineId' as engine_id,
    o.value ->> 'epoch' as epoch,
    o.value ->> 'since' as since,
    p.value ->> 'expiresAt' as expires_at,
    p.value ->> 'termMs' as term_ms,
    p.value ->> 'since' as engine_since
  from pawl_shard s cross join pawl_kv o
     on o.shard = s.shard and o.key >= 'owner ' and o.key < 'owner!'
  left join pawl_kv p on p.shard = 0 and p.key = 'presence ' || (o.value ->> 'engineId');
CREATE VIEW pawl_prepared as
     select 0 as shard, '' as checks, '' as puts, '' as deletes where false;
CREATE VIEW pawl_runs as select 
  substr(k.key, 5) as run_id,
  k.value ->> 'definition' as definition,
  k.value ->> 'key' as key,
  k.value ->> 'state' as state,
  k.value ->> 'status' as status,
  k.value ->> 'version' as version,
  k.value ->> 'visit' as visit,
  k.value ->> 'attempt' as attempt,
  k.value ->> 'crashes' as crashes,
  k.value ->> 'createdAt' as created_at,
  k.value ->> 'updatedAt' as updated_at,
  k.value ->> 'due' as due_at,
  k.value ->> 'reason' as reason,
  k.value ->> '$.lastError.name' as last_error_name,
  k.value ->> '$.lastError.message' as last_error,
  k.value ->> 'previous' as previous_run_id,
  coalesce(k.value ->> 'sealed', 0) as sealed,
  case when k.value ->> 'sealed' then null else k.value -> 'data' end as data,
  k.shard as shard from pawl_shard s cross join pawl_kv k
     on k.shard = s.shard and k.key >= 'run ' and k.key < 'run!';
CREATE VIEW pawl_stuck as select 
  substr(k.key, 5) as run_id,
  k.value ->> 'definition' as definition,
  k.value ->> 'key' as key,
  k.value ->> 'state' as state,
  k.value ->> 'status' as status,
  k.value ->> 'version' as version,
  k.value ->> 'visit' as visit,
  k.value ->> 'attempt' as attempt,
  k.value ->> 'crashes' as crashes,
  k.value ->> 'createdAt' as created_at,
  k.value ->> 'updatedAt' as updated_at,
  k.value ->> 'due' as due_at,
  k.value ->> 'reason' as reason,
  k.value ->> '$.lastError.name' as last_error_name,
  k.value ->> '$.lastError.message' as last_error,
  k.value ->> 'previous' as previous_run_id,
  coalesce(k.value ->> 'sealed', 0) as sealed,
  case when k.value ->> 'sealed' then null else k.value -> 'data' end as data,
  k.shard as shard from pawl_shard s cross join pawl_kv k
     on k.shard = s.shard and k.key >= 'run ' and k.key < 'run!' where (k.value ->> 'state' in ('paused', 'stalled') or k.value ->> 'state' in ('initiated', 'running')
    and (k.value ->> 'attempt' > 0 or k.value ->> 'crashes' > 0));
CREATE VIEW pawl_work as select
    k.value ->> 'due' as due_at,
    k.value ->> 'definition' as definition,
    k.value ->> 'key' as key,
    k.value ->> 'id' as run_id,
    k.value ->> 'state' as state,
    k.value ->> 'status' as status,
    k.value ->> 'attempt' as attempt,
    k.shard as shard
  from pawl_shard s cross join pawl_kv w
     on w.shard = s.shard and w.key >= 'work ' and w.key < 'work!'
  cross join pawl_kv k on k.shard = w.shard and k.key = 'run ' || substr(w.key, -30);
CREATE TRIGGER pawl_batch instead of insert on pawl_inbox when new.kind = 'batch' begin
     insert into pawl_scratch (id, call, version, failed)
     select new.id, new.call, new.version, (
  select min(c.key) from json_each(new.checks) c
  left join pawl_kv k on k.shard = new.shard and k.key = c.value ->> 0
  where k.version is not c.value ->> 1)
     where (select failed from pawl_scratch where id = new.call) is null;
     insert into pawl_kv (shard, key, version, value)
     select new.shard,
       p.value ->> 0 || case when p.value ->> 2 then printf('%012x', new.version) else '' end,
       new.version,
       p.value ->> 1
     from json_each(new.puts) p where exists (select 1 from pawl_scratch where id = new.id and failed is null)
     on conflict (shard, key) do update set version = excluded.version, value = excluded.value;
     delete from pawl_kv
     where shard = new.shard and key in (select value from json_each(new.deletes)) and exists (select 1 from pawl_scratch where id = new.id and failed is null);
   end;
CREATE TRIGGER pawl_call instead of insert on pawl_inbox when new.kind = 'call' begin
     insert into pawl_scratch (id, call, version, failed, kept)
     select new.id, new.id, new.version,
       case
         when new.outcome is not null and (o.value ->> 'callId') is not new.previous then -1
         when (
  select min(c.key) from json_each(new.checks) c
  left join pawl_kv k on k.shard = new.shard and k.key = c.value ->> 0
  where k.version is not c.value ->> 1) is not null then 0
       end,
       o.value
     from (select 1) left join pawl_kv o on o.shard = new.shard and o.key = new.outcome;
   end;
CREATE TRIGGER pawl_outcome instead of insert on pawl_inbox when new.kind = 'outcome' begin
     insert into pawl_kv (shard, key, version, value)
     select new.shard, new.outcome, new.version,
       case
         when failed is not null then json_object('callId', new.call_id)
         else json_object('callId', new.call_id, 'results', (
           select json_group_array(case when b.failed is null then b.version else -1 - b.failed end)
           from (select version, failed from pawl_scratch where call = new.call and id > new.call order by id) b))
       end
     from pawl_scratch where id = new.call and failed is not -1
     on conflict (shard, key) do update set version = excluded.version, value = excluded.value;
   end;
CREATE TRIGGER pawl_prepared_added instead of insert on pawl_prepared begin
     select raise(abort, 'PAWL_APPLIED: these statements of a prepared trigger have been committed before')
     from json_each(new.checks) c join pawl_kv k on k.shard = new.shard and k.key = c.value ->> 0
     where c.value ->> 1 is null and k.key >= 'run ' and k.key < 'run!';
     select raise(abort, 'PAWL_STALE: a prepared trigger''s key has got another run since; prepare it again')
     from json_each(new.checks) c left join pawl_kv k on k.shard = new.shard and k.key = c.value ->> 0
     where k.version is not c.value ->> 1;
     update pawl_shard set version = version + 1 where shard = new.shard;
     delete from pawl_kv where shard = new.shard and key in (select value from json_each(new.deletes));
     insert into pawl_kv (shard, key, version, value)
     select s.shard,
       p.value ->> 0 || case when p.value ->> 2 then printf('%012x', s.version) else '' end,
       s.version,
       p.value ->> 1
     from json_each(new.puts) p cross join pawl_shard s on s.shard = new.shard
     where true
     on conflict (shard, key) do update set version = excluded.version, value = excluded.value;
   end;
commit;
