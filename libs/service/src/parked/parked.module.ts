import { Module, type DynamicModule } from '@nestjs/common';
import { PARKED, ParkedController, type ParkedOf } from './parked.controller.js';

@Module({})
class ParkedModule {}

/** The routes for messages that an inbox parked; for services that have one. */
export const parkedModule = (parkedOf: ParkedOf): DynamicModule => ({
  module: ParkedModule,
  controllers: [ParkedController],
  providers: [{ provide: PARKED, useValue: parkedOf }],
});
